# Parlance: everything is built into build/ (BUILD=DIR for another place).
#
#   make            the programs: parlance.cgi, parlance.fcgi, parlance, chatconf
#   make run        install what is missing, build, serve the demo deployment
#   make test       install what is missing, build, run every test
#   make test-long  the same with more kills, failures, generated requests
#                   and fuzzing; hours
#   make check      the unit tests alone, quick
#   make differential N=...   our answers against FastAPI's own
#   make fuzz       the libFuzzer targets, build/fuzz/NAME
#   make bench      the benchmarks, as ratios against floors of the same run
#
# CC=clang and SANITIZER=address, undefined or thread choose another build;
# give each its own BUILD.  Sources are found by their names: lib/*/NAME.c is
# part of the library, NAME_test.c the unit-test suite NAME, NAME_fuzz.c a
# libFuzzer target, NAME_bench.c a benchmark program, NAME_make.c makes a
# source when building; NAME_test.sh and NAME_test.py are end-to-end tests,
# NAME_bench.sh and NAME_bench.py benchmarks over the built programs.

BUILD ?= build
CC ?= gcc
ifeq ($(origin CC),default)
CC = gcc
endif
SANITIZER ?=
PREFIX ?= /usr/local
PORT ?= 8080
DESTDIR ?=

# ---- what must be installed -------------------------------------------------

PACKAGES_BUILD = gcc make pkg-config libfcgi-dev libjson-c-dev \
	libcurl4-openssl-dev libsqlite3-dev nettle-dev libutf8proc-dev \
	libstemmer-dev libgumbo-dev libuchardet-dev zlib1g-dev libssl-dev \
	libnghttp2-dev libidn2-dev libunistring-dev libpsl-dev libzstd-dev \
	libbrotli-dev
PACKAGES_RUN = $(PACKAGES_BUILD) curl lighttpd
# npm comes with some builds of nodejs, and then its package would clash.
PACKAGES_TEST = $(PACKAGES_RUN) check clang libclang-rt-14-dev python3 \
	apache2 libapache2-mod-fcgid nginx-light fcgiwrap spawn-fcgi wrk man-db \
	python3-fastapi python3-pydantic python3-uvicorn python3-httpx \
	nodejs $(if $(shell command -v npm),,npm) openssl poppler-utils unzip \
	systemd iproute2 adduser chromium chromium-driver fonts-noto-core \
	fonts-noto-cjk

# ---- flags ------------------------------------------------------------------

WARNINGS = -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Werror
OPTIMIZE = -O2 -g
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-fstack-clash-protection -fcf-protection=full -fPIE
LINK_HARDEN = -pie -Wl,-z,relro,-z,now
ifneq ($(SANITIZER),)
OPTIMIZE = -O1 -g -fno-omit-frame-pointer
HARDEN = -fPIE
comma := ,
SANITIZE = $(foreach s,$(subst $(comma), ,$(SANITIZER)),-fsanitize=$(s)) \
	-fno-sanitize-recover=all
endif
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(OPTIMIZE) $(HARDEN) \
	$(SANITIZE) -Ilib -I$(BUILD) -MMD -MP $(CFLAGS)
ALL_LDFLAGS = $(LINK_HARDEN) $(SANITIZE) $(LDFLAGS)

# A shared library costs every CGI start: the CGI program has everything
# inside, the others what Debian has static libraries of (STATIC=no where a
# distribution has none; a sanitizer wants the shared C library).
STATIC ?= yes
LIBS_CORE = -lsqlite3 -lnettle -lutf8proc -lstemmer -lgumbo -ljson-c -luchardet -lz
ifeq ($(STATIC),yes)
LIBS = -static-libgcc -Wl,-Bstatic $(LIBS_CORE) -Wl,-Bdynamic -lm -ldl \
	-lpthread
else
LIBS = $(LIBS_CORE) -lm -ldl -lpthread
endif
LIBS_CHATCONF = -lcurl
LIBS_CHECK = $(shell pkg-config --libs check)
CFLAGS_CHECK = $(shell pkg-config --cflags check)

# ---- sources ----------------------------------------------------------------

NOT_LIBRARY = %_test.c %_fuzz.c %_bench.c %_make.c
LIB_SOURCES = $(filter-out $(NOT_LIBRARY),$(wildcard lib/*/*.c))
TEST_SOURCES = lib/unit_tests.c $(wildcard lib/*/*_test.c)
CGI_SOURCES = $(wildcard cgi/*.c)
FCGI_SOURCES = $(wildcard fcgi/*.c)
CHATCONF_SOURCES = $(filter-out $(NOT_LIBRARY),$(wildcard conformance/*.c \
	conformance/*/*.c))
MIGRATIONS = $(sort $(wildcard lib/store/migrations/*.sql))
FUZZ_SOURCES = $(wildcard lib/*/*_fuzz.c conformance/*/*_fuzz.c)
BENCH_SOURCES = $(wildcard lib/*/*_bench.c conformance/*/*_bench.c)
BENCH_PROGRAMS = $(patsubst %.c,$(BUILD)/%,$(notdir $(BENCH_SOURCES)))

# V=1 shows the commands in full.
V ?= 0
quiet = $(if $(filter 0,$(V)),@echo "  $(1) $@";)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJECTS = $(call objects,$(LIB_SOURCES)) $(BUILD)/obj/migrations.o \
	$(BUILD)/obj/site_parts.o
PROGRAMS = $(BUILD)/parlance.cgi $(BUILD)/parlance.fcgi $(BUILD)/parlance \
	$(BUILD)/chatconf

.PHONY: FORCE all run test test-long check bench clean deps-build deps-run deps-test \
	differential fuzz
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAMS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -c -o $@ $<
# The suite's own folders: cases, match, targets ...
$(BUILD)/obj/conformance/%.o: ALL_CFLAGS += -Iconformance
$(BUILD)/obj/lib/%_test.o $(BUILD)/obj/lib/unit_tests.o: \
	ALL_CFLAGS += $(CFLAGS_CHECK)
# Where chatconf looks for its cases when they are not beside it.
$(BUILD)/obj/conformance/cases/casefolder.o: \
	ALL_CFLAGS += -DDATADIR='"$(PREFIX)/share/parlance"'

# The schema's steps, as C strings, in the order of their names.
$(BUILD)/migrations.c: $(MIGRATIONS) Makefile
	@mkdir -p $(@D)
	@{ echo '#include "store/migrations.h"'; \
	echo 'const struct migration migrations[] = {'; \
	for f in $(MIGRATIONS); do \
	echo "{\"$$(basename $$f .sql)\","; \
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $$f; \
	echo '},'; done; echo '};'; \
	echo 'const int migrations_count = $(words $(MIGRATIONS));'; } > $@
$(BUILD)/obj/migrations.o: $(BUILD)/migrations.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -c -o $@ $<

# The table of stop words, by a program that runs here.
CC_FOR_BUILD ?= $(CC)
$(BUILD)/stops.inc: lib/language/stops_make.c lib/language/stops.h \
	lib/language/languages.inc
	@mkdir -p $(@D)
	$(call quiet,MAKE)$(CC_FOR_BUILD) -std=gnu11 $(WARNINGS) -Ilib \
		-o $(BUILD)/stops_make $< && $(BUILD)/stops_make > $@
$(BUILD)/obj/lib/language/stopwords.o $(BUILD)/fuzz-build/lib/language/stopwords.o: \
	$(BUILD)/stops.inc
# The tables of charsets, from the C library's iconv.
$(BUILD)/charsets.inc: lib/documents/charsets_make.c lib/documents/charsets.h
	@mkdir -p $(@D)
	$(call quiet,MAKE)$(CC_FOR_BUILD) -std=gnu11 $(WARNINGS) -Ilib \
		-o $(BUILD)/charsets_make $< && $(BUILD)/charsets_make > $@
$(BUILD)/obj/lib/documents/charsets.o \
	$(BUILD)/fuzz-build/lib/documents/charsets.o: $(BUILD)/charsets.inc

# The chat page and what it says, as C: files without their comments and
# indentation, which no browser needs.
SITE_WORDS = $(foreach l,en de fr es it pt ru ar hi zh ja ko,\
	lib/site/words/$(l).txt)
SITE_SCRIPT = $(addprefix lib/site/,events.js render.js page.js)
site_strip = sed -e 's/^[ \t]*//' -e 's,\t\+// .*,,' -e '/^\/\//d' \
	-e '/^\/\*.*\*\/$$/d' -e '/^$$/d'
site_hash = $$(sha256sum < $(BUILD)/site/$(1) | cut -c1-64)
$(BUILD)/site_parts.c: lib/site/site_make.c lib/site/site_words.h \
	lib/site/page.html lib/site/page.css lib/site/embed.js \
	$(SITE_SCRIPT) $(SITE_WORDS) Makefile
	@mkdir -p $(BUILD)/site
	@cat $(SITE_SCRIPT) | $(site_strip) > $(BUILD)/site/page.js
	@$(site_strip) lib/site/page.css > $(BUILD)/site/page.css
	@$(site_strip) lib/site/embed.js > $(BUILD)/site/embed.js
	@cat lib/site/page.html $(SITE_WORDS) $(BUILD)/site/page.js \
		$(BUILD)/site/page.css > $(BUILD)/site/all
	$(call quiet,MAKE)$(CC_FOR_BUILD) -std=gnu11 $(WARNINGS) -Ilib \
		-o $(BUILD)/site_make $< && $(BUILD)/site_make \
		lib/site/page.html $(addprefix $(BUILD)/site/,page.css page.js \
		embed.js) $(call site_hash,page.js) \
		$(call site_hash,page.css) $(call site_hash,all) \
		$(SITE_WORDS) > $@
$(BUILD)/obj/site_parts.o: $(BUILD)/site_parts.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -c -o $@ $<

# The cases, profiles and rules, inside chatconf.
EMBEDDED = $(wildcard fixtures/botapi/*/*.json fixtures/messagesapi/*/*.json \
	fixtures/profiles/*.json fixtures/RULES-*.md)
$(BUILD)/embedded.c: conformance/cases/embedded_make.c $(EMBEDDED)
	@mkdir -p $(@D)
	$(call quiet,MAKE)$(CC_FOR_BUILD) -std=gnu11 $(WARNINGS) \
		-o $(BUILD)/embedded_make $< && $(BUILD)/embedded_make \
		fixtures $(EMBEDDED:fixtures/%=%) > $@
$(BUILD)/obj/embedded.o: $(BUILD)/embedded.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CFLAGS) -Iconformance \
		-Wno-overlength-strings -c -o $@ $<

# The list of unit-test suites; rewritten only when it changes.
$(BUILD)/suites.h: FORCE
	@mkdir -p $(@D)
	@echo '#define SUITES(X)' $(patsubst %_test.c,'X(%)',$(sort \
	$(notdir $(filter %_test.c,$(TEST_SOURCES))))) > $@.new
	@cmp -s $@.new $@ || cp $@.new $@
	@rm -f $@.new
$(BUILD)/obj/lib/unit_tests.o: $(BUILD)/suites.h
FORCE:

$(BUILD)/libparlance.a: $(LIB_OBJECTS)
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

ifeq ($(STATIC)$(SANITIZER),yes)
$(BUILD)/parlance.cgi: $(call objects,$(CGI_SOURCES)) $(BUILD)/libparlance.a \
	cgi/link_static
	$(call quiet,LD)cgi/link_static $@ "$(CC)" $(LDFLAGS) \
		$(filter %.o %.a,$^)
else
$(BUILD)/parlance.cgi: $(BUILD)/parlance-shared.cgi
	cp $< $@
endif
# Over the host's C library; also for tests that stand between program and it.
$(BUILD)/parlance-shared.cgi: $(call objects,cgi/main.c) $(BUILD)/libparlance.a
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -no-pie -o $@ $^ $(LIBS)
$(BUILD)/parlance: $(BUILD)/parlance.cgi
	ln -sf parlance.cgi $@
$(BUILD)/parlance.fcgi: $(call objects,$(FCGI_SOURCES)) $(BUILD)/libparlance.a
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lfcgi $(LIBS)
CHATCONF_OBJECTS = $(call objects,$(CHATCONF_SOURCES)) $(BUILD)/obj/embedded.o
$(BUILD)/chatconf: $(CHATCONF_OBJECTS) $(BUILD)/libparlance.a
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_CHATCONF) $(LIBS)
$(BUILD)/unit_tests: $(call objects,$(TEST_SOURCES)) $(BUILD)/libparlance.a
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS_CHECK) $(LIBS)

# A benchmark program; it may measure itself against json-c.
define bench_program
$(BUILD)/$(notdir $(basename $(1))): $(BUILD)/obj/$(1:.c=.o) \
	$(BUILD)/libparlance.a
	$$(call quiet,LD)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS)
endef
$(foreach source,$(BENCH_SOURCES),$(eval $(call bench_program,$(source))))

# ---- running ----------------------------------------------------------------

deps-build deps-run deps-test: deps-%:
	@fixtures/install_packages $(PACKAGES_$(shell echo $* | tr a-z A-Z))

run: deps-run
	@$(MAKE) --no-print-directory all
	@fixtures/demo/serve $(BUILD) $(PORT)

# ---- tests ------------------------------------------------------------------

check: $(BUILD)/unit_tests
	$(BUILD)/unit_tests

test: deps-test
	@conformance/run_tests $(BUILD)

test-long: deps-test
	@LONG=1 conformance/run_tests $(BUILD)

# Generated requests to FastAPI itself and to our programs: N of them through
# FastCGI (a fixed and a fresh seed, or SEED), a hundredth through CGI.
N ?= 100000
SEED ?=
differential: deps-test
	@$(MAKE) --no-print-directory all
	@/usr/bin/python3 conformance/tests/differential.py $(BUILD) --fcgi $(N) \
		--cgi $$(($(N) / 100)) --http $$(($(N) / 20)) $(if $(SEED),--seed $(SEED))

# Every libFuzzer target NAME_fuzz.c is built as build/fuzz/NAME, by clang and
# with a library of its own; its corpus is fixtures/fuzz/NAME.
FUZZ_BUILD = $(BUILD)/fuzz-build
FUZZ_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O1 -g \
	-fno-omit-frame-pointer -fno-sanitize-recover=all -Ilib -Iconformance -I$(BUILD) \
	-MMD -MP
FUZZ_SANITIZE = address,undefined
FUZZ_LIBRARY = $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(LIB_SOURCES))
FUZZ_PROGRAMS = $(patsubst %_fuzz.c,$(BUILD)/fuzz/%,$(notdir $(FUZZ_SOURCES)))

$(FUZZ_BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)clang $(FUZZ_CFLAGS) \
		-fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<
$(FUZZ_BUILD)/migrations.o: $(BUILD)/migrations.c
	@mkdir -p $(@D)
	$(call quiet,CC)clang $(FUZZ_CFLAGS) -Wno-overlength-strings \
		-fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<
# What a target in conformance/ needs; the others take nothing out of it.
$(FUZZ_BUILD)/embedded.o: $(BUILD)/embedded.c
	@mkdir -p $(@D)
	$(call quiet,CC)clang $(FUZZ_CFLAGS) -Wno-overlength-strings \
		-fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<
$(FUZZ_BUILD)/chatconf.a: $(patsubst %.c,$(FUZZ_BUILD)/%.o,\
	$(filter-out %/main.c,$(CHATCONF_SOURCES))) $(FUZZ_BUILD)/embedded.o
	@rm -f $@
	$(call quiet,AR)ar rcs $@ $^
$(FUZZ_BUILD)/site_parts.o: $(BUILD)/site_parts.c
	@mkdir -p $(@D)
	$(call quiet,CC)clang $(FUZZ_CFLAGS) -Wno-overlength-strings \
		-fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) -c -o $@ $<
$(FUZZ_BUILD)/library.a: $(FUZZ_LIBRARY) $(FUZZ_BUILD)/migrations.o \
	$(FUZZ_BUILD)/site_parts.o
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

define fuzz_program
$(BUILD)/fuzz/$(patsubst %_fuzz.c,%,$(notdir $(1))): \
	$(patsubst %.c,$(FUZZ_BUILD)/%.o,$(1)) $(FUZZ_BUILD)/chatconf.a \
	$(FUZZ_BUILD)/library.a
	@mkdir -p $$(@D)
	$$(call quiet,LD)clang -fsanitize=fuzzer,$(FUZZ_SANITIZE) -o $$@ $$^ \
		$(LIBS)
endef
$(foreach f,$(FUZZ_SOURCES),$(eval $(call fuzz_program,$(f))))

fuzz: $(FUZZ_PROGRAMS)

-include $(shell test -d $(FUZZ_BUILD) && find $(FUZZ_BUILD) -name '*.d')

# ---- benchmarks -------------------------------------------------------------

bench: deps-test
	@$(MAKE) --no-print-directory all
	@conformance/run_benches $(BUILD)

# ---- installing -------------------------------------------------------------

# make install            below PREFIX (and DESTDIR): programs, manual pages,
#                         the web servers' files, systemd units
# make install-cgi CGIDIR=FOLDER   the one file of a CGI deployment
# make deb                Debian packages in BUILD
# Where the programs look for parlance.conf by themselves.
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
CGIDIR ?=
INSTALL = install
MANUALS = $(addprefix $(BUILD)/man/,parlance.1 chatconf.1 parlance.conf.5 \
	parlance.fcgi.8)

.PHONY: portable install install-server install-chatconf install-cgi deb manuals
manuals: $(MANUALS)
# name, section and a line about it; the rest is what --help prints.
manual = @mkdir -p $(@D); LC_ALL=C $(1) | awk -v name=$(2) \
	-v section=$(subst .,,$(suffix $@)) -v about=$(3) \
	-f lib/app/manual.awk > $@
$(BUILD)/man/parlance.1: $(BUILD)/parlance lib/app/manual.awk
	$(call manual,$(BUILD)/parlance --help,parlance,"admin command of a chat API deployment")
$(BUILD)/man/parlance.conf.5: $(BUILD)/parlance lib/app/manual.awk
	$(call manual,$(BUILD)/parlance help config,parlance.conf,"configuration of a chat API deployment")
$(BUILD)/man/parlance.fcgi.8: $(BUILD)/parlance.fcgi lib/app/manual.awk
	$(call manual,$(BUILD)/parlance.fcgi --help,parlance.fcgi,"FastCGI responder of two chat APIs")
$(BUILD)/man/chatconf.1: $(BUILD)/chatconf lib/app/manual.awk
	$(call manual,$(BUILD)/chatconf --help,chatconf,"conformance suite of two chat APIs")

install: install-server install-chatconf

install-server: all $(MANUALS)
	$(INSTALL) -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/cgi-bin \
		share/man/man1 share/man/man5 share/man/man8 \
		share/parlance/cgi share/parlance/fcgi) \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) \
		$(DESTDIR)$(SYSCONFDIR)/parlance
	$(INSTALL) -m 0755 $(BUILD)/parlance.cgi $(BUILD)/parlance.fcgi \
		$(DESTDIR)$(PREFIX)/lib/cgi-bin
	ln -sf ../lib/cgi-bin/parlance.cgi $(DESTDIR)$(PREFIX)/bin/parlance
	for f in cgi/apache.htaccess $(wildcard cgi/*.conf) \
		$(filter-out fcgi/parlance.conf,$(wildcard fcgi/*.conf)); do \
		sed 's,/usr/local,$(PREFIX),' $$f \
		> $(DESTDIR)$(PREFIX)/share/parlance/$$f || exit 1; done
	$(INSTALL) -m 0644 fcgi/parlance.conf \
		$(DESTDIR)$(PREFIX)/share/parlance/parlance.conf
	test -e $(DESTDIR)$(SYSCONFDIR)/parlance/parlance.conf || \
		$(INSTALL) -m 0640 fcgi/parlance.conf \
		$(DESTDIR)$(SYSCONFDIR)/parlance/parlance.conf
	sed -e 's,@LIBDIR@,$(PREFIX)/lib,' -e 's,@SYSCONFDIR@,$(SYSCONFDIR),' \
		fcgi/parlance.service > $(DESTDIR)$(UNITDIR)/parlance.service
	sed -e 's,^Description=.*,& (%i\, beside the other),' \
		-e 's,^ExecStart=,Sockets=parlance.socket\n&,' \
		-e '/^\[Install\]/,$$d' $(DESTDIR)$(UNITDIR)/parlance.service \
		> $(DESTDIR)$(UNITDIR)/parlance@.service
	$(INSTALL) -m 0644 fcgi/parlance.socket $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 0644 fcgi/parlance.sysusers \
		$(DESTDIR)$(SYSUSERSDIR)/parlance.conf
	$(INSTALL) -m 0644 $(BUILD)/man/parlance.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1
	$(INSTALL) -m 0644 $(BUILD)/man/parlance.conf.5 \
		$(DESTDIR)$(PREFIX)/share/man/man5
	$(INSTALL) -m 0644 $(BUILD)/man/parlance.fcgi.8 \
		$(DESTDIR)$(PREFIX)/share/man/man8

# The suite looks for its cases in ../share/parlance/fixtures of its folder.
install-chatconf: $(BUILD)/chatconf $(BUILD)/man/chatconf.1
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/parlance/fixtures
	$(INSTALL) -m 0755 $(BUILD)/chatconf $(DESTDIR)$(PREFIX)/bin
	$(INSTALL) -m 0644 $(BUILD)/man/chatconf.1 \
		$(DESTDIR)$(PREFIX)/share/man/man1
	cp -R $(wildcard $(addprefix fixtures/,botapi messagesapi profiles \
		RULES-botapi.md RULES-messagesapi.md)) \
		$(DESTDIR)$(PREFIX)/share/parlance/fixtures
	$(INSTALL) -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(INSTALL) -m 0644 conformance/chatconf.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/chatconf

install-cgi: $(BUILD)/parlance.cgi
	@test -n "$(CGIDIR)" || { echo "name the folder: make install-cgi \
	CGIDIR=/usr/lib/cgi-bin" >&2; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(CGIDIR)
	$(INSTALL) -s -m 0755 $(BUILD)/parlance.cgi $(DESTDIR)$(CGIDIR)
	$(BUILD)/parlance version

# The one file of a CGI deployment on another machine: nothing of its host's is
# needed (cgi/link_static says what it cannot do).
portable: deps-build
	@$(MAKE) --no-print-directory $(BUILD)/parlance.cgi
	@if objdump -p $(BUILD)/parlance.cgi | grep NEEDED; then \
		echo "this needs shared libraries: make without STATIC=no, \
	SANITIZER" >&2; exit 1; fi
	@mkdir -p $(BUILD)/portable
	strip -o $(BUILD)/portable/parlance.cgi $(BUILD)/parlance.cgi
	@$(MAKE) --no-print-directory $(BUILD)/portable/chatconf

# The suite in one file, with the cases inside.
$(BUILD)/portable/chatconf: $(CHATCONF_OBJECTS) $(filter-out %/main.o,\
	$(call objects,$(CGI_SOURCES))) $(BUILD)/libparlance.a cgi/link_static
	@mkdir -p $(@D)
	$(call quiet,LD)cgi/link_static $@ "$(CC)" $(LDFLAGS) -s \
		$(filter %.o %.a,$^)

deb: all
	fcgi/make_deb $(BUILD)

clean:
	rm -rf $(BUILD)

-include $(shell test -d $(BUILD)/obj && find $(BUILD)/obj -name '*.d')
