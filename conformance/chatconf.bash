# bash completion for chatconf: options, profiles, features, cases
_chatconf()
{
	local current=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} profile=v1 i words

	for ((i = 1; i < COMP_CWORD - 1; i++)); do
		case ${COMP_WORDS[i]} in
		-p | --profile) profile=${COMP_WORDS[i + 1]} ;;
		esac
	done
	case $before in
	-p | --profile) words='v1 dify pydantic-v2' ;;
	-f | --feature)
		words=$(chatconf --features -p "$profile" 2>/dev/null)
		;;
	--explain)
		words=$(chatconf -l -p "$profile" 2>/dev/null |
			awk '$1 ~ /^(must|should|house)$/ { print $2 }')
		;;
	-K | --key-file | -k | --known | --write-known | --json | --junit | \
		--html | --markdown | --badge | --save | --cases)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-s | --set | -j | --jobs | -t | --timeout | --retry) return ;;
	esac
	if [ -z "${words-}" ]; then
		case $current in
		-*)
			words=$(chatconf --help | grep -oE -- \
				'(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,')
			;;
		h*) words='http:// https://' ;;
		c*) words='cgi:' ;;
		f*) words='fcgi:' ;;
		*)
			words=$(chatconf -l -p "$profile" 2>/dev/null |
				awk '$1 ~ /^(must|should|house)$/ { print $2 }')
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _chatconf chatconf
