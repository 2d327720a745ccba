# procledger: GNU make, one file.
#
#   make             both programs: build/plain/procledgerd and build/plain/procledger
#   make try         as root: records this machine for a few seconds, shows what it saw     (installs what is missing)
#   make check       every test; T="tests/test_x.sh build/plain/tests/test_y" only those    (installs what is missing)
#   make lint        layout, warnings of two compilers, clang-tidy, cppcheck, shellcheck     (installs what is missing)
#   make fuzz        every fuzzer, or those in FUZZ, for FUZZ_SECONDS (20), from tests/corpus and what was found before; with
#                    FUZZ_SAN=undefined some have three times the inputs, and what they find is for a run with all sanitizers
#   make torture     the long forms of the tests of crashes and damage, a day of work; their counts are variables, below
#   make bench       the figures of the README, measured here
#   make bench-ledger  what questions cost in a ledger of 100 million events: makes one in BENCH_DIR=/tmp/procledger-bench
#   make bare        make try and make check in a bare Debian 12 root made for it
#   make ci          what CI runs: lint, check with gcc, clang, ASan+UBSan, TSan, a short fuzz
#   make install     DESTDIR=, prefix=/usr/local
#   make clean
#
# Variables as usual: CC CFLAGS CPPFLAGS LDFLAGS; V=1 shows the commands.  Each VARIANT has its own folder: build/VARIANT.
# A build with sanitizers: make VARIANT=asan SAN="-fsanitize=address,undefined" check
ifeq ($(origin CC),default)
CC        = gcc
endif
CFLAGS   ?= -O2 -g
VARIANT  ?= plain
SAN      ?=
B        := build/$(VARIANT)
prefix   ?= /usr/local
bindir   ?= $(prefix)/bin
libdir   ?= $(prefix)/lib
sbindir  ?= $(prefix)/sbin
datadir  ?= $(prefix)/share
mandir   ?= $(datadir)/man
docdir   ?= $(datadir)/doc/procledger
unitdir  ?= $(prefix)/lib/systemd/system
FUZZ_SECONDS ?= 20
FUZZ_SAN     ?= address,undefined
# make torture, in its order, and each alone as make torture-NAME, with these counts or smaller ones:
TORTURE = memory inject damage readers prefix powercut kill sectors fuzz
MEMORY_STRIDE  ?= 1
INJECT_CASES   ?= 5000
DAMAGE_FRAME_BITS   ?= 327680
DAMAGE_PAYLOAD_BITS ?= 500000
DAMAGE_LENGTHS      ?= 11265
READER_SECONDS ?= 600
POWER_CASES    ?= 50000
POWER_CUTS     ?= 1000
KILLS          ?= 10000
POWER_SEEDS    ?= 1000000
FUZZ_RUNS      ?= 10000000

WARN = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings
# glibc's checks need optimisation, and would hide from the sanitizers what they are to see.
HARDEN = -fPIE -fstack-protector-strong $(if $(SAN),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(WARN) $(HARDEN) -pthread $(CPPFLAGS) $(CFLAGS) $(SAN)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
# Each program names only those that it uses: every one takes time at its start.
LIBS = -Wl,--as-needed -lsqlite3 -ldeflate -lmnl -lsodium -ledit
LINK = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
Q = $(if $(V),,@echo "  $(1) $@";)

objects = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard $(1)/*.c)))
ARCHIVES = $(B)/librecorder.a $(B)/libquery.a $(B)/libschema.a
PROGRAMS = $(B)/procledgerd $(B)/procledger
TESTS    = $(patsubst %.c,$(B)/%,$(wildcard tests/test_*.c))
HELPERS  = $(patsubst %.c,$(B)/%,$(filter-out tests/test_%,$(wildcard tests/*.c)))
FUZZ_VARIANT = fuzz$(if $(findstring address,$(FUZZ_SAN)),,-quick)
FUZZERS  = $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
MANUALS  = $(wildcard */*.[1-8]) $(patsubst %.in,$(B)/%,$(wildcard */*.[1-8].in))
JOBS     = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
T       ?= $(TESTS) $(wildcard tests/test_*.sh)

EXTENSION = $(B)/procledger_sqlite.so

all: $(PROGRAMS) $(EXTENSION) $(MANUALS)
everything: all $(TESTS) $(HELPERS)

$(B)/procledgerd: $(B)/recorder/main.o $(B)/librecorder.a $(B)/libschema.a
	$(call Q,LINK)$(LINK)
$(B)/procledger: $(B)/query/main.o $(B)/libquery.a $(B)/libschema.a
	$(call Q,LINK)$(LINK)
# Loaded by programs that have SQLite and no sanitizer.
$(EXTENSION): query/sql_functions.c query/when.c Makefile
	@mkdir -p $(@D)
	$(call Q,LINK)$(CC) $(filter-out $(SAN),$(ALL_CFLAGS)) -fPIC -DPROCLEDGER_EXTENSION -shared -Wl,-z,relro,-z,now $(LDFLAGS) \
		-o $@ $(filter %.c,$^)
$(B)/libschema.a: $(call objects,schema)
$(B)/librecorder.a: $(call objects,recorder)
$(B)/libquery.a: $(call objects,query)
$(ARCHIVES):
	@mkdir -p $(@D) && rm -f $@
	$(call Q,AR  )ar rcs $@ $^
$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(ARCHIVES)
	$(call Q,LINK)$(LINK) -lz -fsanitize=fuzzer
$(B)/tests/tiny: tests/tiny.c Makefile
	@mkdir -p $(@D)
	$(call Q,LINK)$(CC) -O2 -static -nostdlib -fno-stack-protector -o $@ $<
# Sums that the tests make for themselves.
$(TESTS): LIBS += -lz
$(B)/tests/%: $(B)/tests/%.o $(ARCHIVES)
	$(call Q,LINK)$(LINK)
# It counts the basic blocks of what it includes.
$(B)/tests/test_redact_work.o: ALL_CFLAGS += -fsanitize-coverage=trace-pc
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC  )$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/schema/index_db.o: $(B)/schema/index_sql.h
$(B)/schema/index_sql.h: schema/index.sql Makefile
	@mkdir -p $(@D)
	$(call Q,SED )sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $< > $@

# The options stand in one table.
$(B)/%.1: %.1.in query/manual.pl $(B)/procledger
	@mkdir -p $(@D)
	$(call Q,PERL)perl query/manual.pl $(B)/procledger $< > $@
# The kinds of events stand in one table.
$(B)/%.5: %.5.in schema/event_kinds.h Makefile
	@mkdir -p $(@D)
	$(call Q,SED )sed -n 's/^KIND([A-Z_]*, *\([0-9]*\), [^,]*, "\([a-z_]*\)", *"\(.*\)")$$/.It \1 Ta \2 Ta \3/p' \
		schema/event_kinds.h | sed -e '/^@KINDS@$$/{r /dev/stdin' -e 'd}' $< > $@

try:
	@tests/setup build
	@$(MAKE) --no-print-directory $(JOBS) all $(B)/tests/workload
	BUILD=$(B) tests/try.sh
check:
	@tests/setup build check
	@$(MAKE) --no-print-directory $(JOBS) everything
	BUILD=$(B) prove --exec '' --timer $(PROVE_FLAGS) $(T)
lint:
	@tests/setup build lint
	tests/lint
fuzz:
	@tests/setup build lint
	@$(MAKE) --no-print-directory $(JOBS) VARIANT=$(FUZZ_VARIANT) CC=clang SAN="-fsanitize=fuzzer-no-link,$(FUZZ_SAN) \
		-fno-sanitize-recover=all -fno-sanitize-coverage=trace-cmp" fuzzers
	BUILD=build/$(FUZZ_VARIANT) tests/fuzz/run $(FUZZ_SECONDS) $(if $(filter 0,$(FUZZ_SECONDS)),$(FUZZ_RUNS),-1) $(FUZZ)
fuzzers: $(FUZZERS)
torture: everything
	@failed=; for name in $(TORTURE); do $(MAKE) --no-print-directory torture-$$name || failed="$$failed $$name"; done; \
		[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }
torture-memory: everything
	$(B)/tests/test_memory $(MEMORY_STRIDE)
	$(B)/tests/test_memory_import $(MEMORY_STRIDE)
torture-inject: everything
	BUILD=$(B) tests/test_inject.sh $(INJECT_CASES)
torture-damage: everything
	$(B)/tests/test_damage $(DAMAGE_FRAME_BITS) $(DAMAGE_PAYLOAD_BITS) $(DAMAGE_LENGTHS)
torture-readers: everything
	$(B)/tests/test_readers $(READER_SECONDS)
torture-prefix: everything
	$(B)/tests/test_power_prefix $(POWER_CASES)
torture-powercut: everything
	$(B)/tests/test_powercut $(POWER_CUTS)
torture-kill: everything
	$(B)/tests/test_kill $(KILLS)
torture-sectors: everything
	$(B)/tests/test_power_sectors $(POWER_SEEDS)
torture-fuzz:
	$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=0 FUZZ_RUNS=$(FUZZ_RUNS) FUZZ='$(FUZZ)'
bench: everything
	BUILD=$(B) tests/bench.sh
	BUILD=$(B) tests/bench_peers.sh
	BUILD=$(B) tests/bench_follow.sh
bench-ledger: all
	BUILD=$(B) tests/bench-ledger
bare:
	tests/bare-root.sh
ci:
	bash .ci/run
install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir)
	install -m 755 $(B)/procledger $(DESTDIR)$(bindir)/
	install -m 755 $(B)/procledgerd $(DESTDIR)$(sbindir)/
	install -D -m 644 $(EXTENSION) $(DESTDIR)$(libdir)/procledger/procledger_sqlite.so
	for manual in $(MANUALS); do install -D -m 644 $$manual \
		$(DESTDIR)$(mandir)/man$${manual##*.}/$${manual##*/} || exit 1; done
	install -D -m 644 query/completion/procledger.bash $(DESTDIR)$(datadir)/bash-completion/completions/procledger
	install -D -m 644 query/completion/_procledger $(DESTDIR)$(datadir)/zsh/site-functions/_procledger
	install -D -m 644 query/completion/procledger.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/procledger.fish
	install -d $(DESTDIR)$(unitdir)
	sed 's|/usr/sbin|$(sbindir)|' recorder/procledgerd.service > $(DESTDIR)$(unitdir)/procledgerd.service
	chmod 644 $(DESTDIR)$(unitdir)/procledgerd.service
	install -D -m 644 schema/FORMAT.md $(DESTDIR)$(docdir)/FORMAT.md
	install -m 644 README.md schema/index.sql $(DESTDIR)$(docdir)/
clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all everything try check lint fuzz fuzzers torture $(TORTURE:%=torture-%) bench bench-ledger bare ci install clean
