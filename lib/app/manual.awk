# Makes a manual page of what a program prints for --help, so that there is
# one source for both:
#
#   parlance --help | awk -v name=parlance -v section=1 -v about="..." -f FILE
#
# A line "usage: ..." (and what is indented below it) is the synopsis; "[x]"
# at the margin begins a section; "  term    text" and "  term", with further
# text indented deeper, are a list; the rest is text.

function quoted(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	if (s ~ /^[.']/)
		s = "\\&" s
	return s
}

function text(s) {
	sub(/^ +/, "", s)
	print quoted(s)
}

BEGIN {
	printf ".TH %s %s \"\" \"parlance\"\n", toupper(name), section
	printf ".SH NAME\n%s \\- %s\n", name, quoted(about)
	state = "start"
}

/^usage: / {
	print ".SH SYNOPSIS"
	print ".nf"
	sub(/^usage: /, "")
	print quoted($0)
	state = "synopsis"
	next
}

state == "synopsis" && /^ / { text($0); next }
state == "synopsis" && /^$/ { next_blank = 1 }

state == "synopsis" || state == "start" {
	if (state == "synopsis")
		print ".fi"
	print ".SH DESCRIPTION"
	state = "text"
	if ($0 == "")
		next
}

/^$/ { blank = 1; next }

/^\[/ {
	printf ".SS %s\n", quoted($0)
	state = "text"
	blank = 0
	next
}

/^  [^ ]/ || /^ +--[a-z]/ {
	line = $0
	sub(/^ +/, "", line)
	print ".TP"
	gap = match(line, /   *[^ ]/)
	if (gap) {
		printf ".B %s\n", quoted(substr(line, 1, gap - 1))
		text(substr(line, gap))
	} else
		printf ".B %s\n", quoted(line)
	state = "list"
	blank = 0
	next
}

{
	if (blank && (state != "list" || $0 !~ /^    /))
		print ".PP"
	else if (state == "list" && $0 !~ /^    /)
		print ".PP"
	if ($0 !~ /^    /)
		state = "text"
	text($0)
	blank = 0
}

END {
	split("parlance(1) chatconf(1) parlance.conf(5) parlance.fcgi(8)", all,
	    " ")
	print ".SH SEE ALSO"
	for (i = 1; i in all; i++) {
		split(all[i], page, /[()]/)
		if (page[1] != name)
			others = others (others == "" ? "" : ",\n") \
			    ".BR " page[1] " (" page[2] ")"
	}
	gsub(/,\n/, " ,\n", others)
	print others
}
