# rehearse -- break TLS on purpose, before it breaks by itself.
#
#   make run      install what is missing, build, and watch a certificate expire and come back
#   make check    install what is missing, build, and run every test
#   make help     the rest

BUILD   ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
PREFIX  ?= /usr/local
FUZZ_SECONDS ?= 60
DESTDIR ?=

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CFLAGS  ?= -O2 -g
override CFLAGS   += -std=gnu11 $(WARNINGS) $(SANITIZE)
LUA_CFLAGS        := $(shell pkg-config --cflags lua5.4 2>/dev/null)
override CPPFLAGS += -D_GNU_SOURCE -I. -MMD -MP $(LUA_CFLAGS)
override LDFLAGS  += $(SANITIZE)

# Debian packages: to build and run; to test; to lint.
DEPS_BUILD = gcc make pkg-config libc6-dev musl-tools libev-dev liblua5.4-dev libjansson-dev \
             libssl-dev libgnutls28-dev libwolfssl-dev libldns-dev libsqlite3-dev libpsl-dev zlib1g-dev
DEPS_CHECK = $(DEPS_BUILD) libcmocka-dev perl openssl nginx-light psmisc gnutls-bin bind9-dnsutils \
             unbound-host curl acme-tiny dehydrated uacme busybox certbot lego caddy apache2-bin haproxy \
             libcurl4-openssl-dev
DEPS_LONG  = $(DEPS_CHECK) golang-go default-jdk-headless nodejs python3 pebble
DEPS_LINT  = $(DEPS_CHECK) clang clang-format clang-tidy lua-check
DEPS_BENCH = $(DEPS_CHECK) faketime pebble
DEPS_ASAN  = $(DEPS_CHECK) clang libclang-rt-14-dev

LIBRARIES = openssl gnutls wolfssl
PROGRAMS  = $(addprefix $(BUILD)/,rehearse stage-init target-builtin fakeca fakeclock libfakeclock.so \
              $(addprefix client-,$(LIBRARIES)))

all: $(PROGRAMS)

# --- what each program is made of --------------------------------------------------------------

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(1)))

WIRE     = $(call objects,$(wildcard testbed/wire/*.c))
PAGE     = $(call objects,faketime/page.c faketime/clock.c faketime/page_guard.c faketime/vdso.c)
DRIVER   = $(wildcard clients/$(1).c clients/$(1)_*.c)
DRIVERS  = $(foreach l,$(LIBRARIES),$(call DRIVER,$(l)))
CLIENT   = $(call objects,$(filter-out $(DRIVERS),$(wildcard clients/*.c)))
FAKECA   = $(call objects,$(filter-out fakeca/main.c,$(wildcard fakeca/*.c)))
TESTBED  = $(call objects,$(filter-out testbed/main.c,$(wildcard testbed/*.c)))
SHIM     = $(patsubst %.c,$(BUILD)/obj/pic/%.o,$(sort $(wildcard faketime/shim*.c)) \
             $(patsubst %,faketime/%.c,deadline filter page preload program vdso) testbed/wire/error.c)
IMAGES   = $(BUILD)/obj/faketime/image.o $(BUILD)/obj/faketime/trap_image.o
CLOCK    = $(call objects,$(filter-out faketime/shim%.c faketime/fakeclock.c faketime/command%.c faketime/blob%.c \
             faketime/trap_%.c, $(wildcard faketime/*.c))) $(IMAGES)
BUILTIN  = $(call objects,$(wildcard testbed/targets/*.c))
STAGE    = $(call objects,$(wildcard testbed/stage/*.c))
LUA      = $(sort $(wildcard testbed/lua/*.lua testbed/targets/*.lua))

LIBS_openssl = -lssl -lcrypto
LIBS_gnutls  = -lgnutls
LIBS_wolfssl = -lwolfssl

$(foreach l,$(LIBRARIES),$(eval $(BUILD)/client-$(l): $(call objects,$(call DRIVER,$(l)))))
$(BUILD)/client-%: $(CLIENT) $(PAGE) $(WIRE)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) -lev -ljansson -lm

LIBS_fakeca = -lssl -lcrypto -lev -ljansson -lldns -lpsl -lsqlite3 -lz -lm
$(BUILD)/fakeca: $(BUILD)/obj/fakeca/main.o $(FAKECA) $(PAGE) $(WIRE)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_fakeca)

# It is started once for each program that goes on a clock.  Before main, glibc asks the processor seventy questions,
# which takes longer than all the rest where a virtual machine has to answer them; musl asks none.  Where it lies
# no filter looks (faketime/trap.c).
MUSL    = musl-gcc -static -Wl,-Ttext-segment=0x70000000 \
            -idirafter /usr/include/$(shell gcc -print-multiarch) -idirafter /usr/include
QUICK   = $(if $(SANITIZE),$(CC),$(MUSL))
COMMAND = $(call objects,faketime/fakeclock.c $(wildcard faketime/command*.c)) $(filter-out $(IMAGES),$(CLOCK)) $(WIRE)
$(BUILD)/obj/quick/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(QUICK) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/fakeclock: $(patsubst $(BUILD)/obj/%,$(BUILD)/obj/quick/%,$(COMMAND)) $(IMAGES)
	$(QUICK) $(LDFLAGS) -o $@ $^ -lm

# It goes into programs that are not ours, so no sanitizer goes with it.
$(BUILD)/obj/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out $(SANITIZE),$(CFLAGS)) -fPIC -fvisibility=hidden -c -o $@ $<
$(BUILD)/libfakeclock.so: $(SHIM)
	$(CC) $(filter-out $(SANITIZE),$(LDFLAGS)) -shared -Wl,-z,now,-z,defs,-z,noseparate-code,-Bsymbolic-functions \
	      -o $@ $^

# What is put into processes that run already: flat, and without anything of ours around it.
ALONE = -O2 -ffreestanding -fpie -fvisibility=hidden -mgeneral-regs-only -fno-stack-protector \
        -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections
$(BUILD)/obj/alone/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARNINGS) $(ALONE) -c -o $@ $<
ALONE_PARTS = blob_code blob_waits deadline page shim_cond shim_event shim_futex shim_lock shim_semaphore \
              shim_sleep shim_syscall shim_timer shim_watch
BLOB = $(patsubst %,$(BUILD)/obj/alone/faketime/%.o,$(ALONE_PARTS) blob_libc)
$(BUILD)/obj/alone/%.o: %.S Makefile
	@mkdir -p $(@D)
	$(CC) -I. -MMD -MP -c -o $@ $<
$(BUILD)/blob.elf: faketime/blob.ld $(BLOB)
	ld --gc-sections --no-relax --no-warn-rwx-segments -z noexecstack -T $^ $(shell $(CC) -print-libgcc-file-name) -o $@
TRAP = $(patsubst %.c,$(BUILD)/obj/alone/%.o,$(sort $(wildcard faketime/trap_*.c)) faketime/deadline.c faketime/page.c)
$(BUILD)/trap.elf: faketime/trap.ld $(TRAP)
	ld --gc-sections --no-relax --no-warn-rwx-segments -z noexecstack -T $^ $(shell $(CC) -print-libgcc-file-name) -o $@
$(BUILD)/%.bin: $(BUILD)/%.elf
	objcopy -O binary -j .head -j .text $< $@
$(BUILD)/obj/faketime/image.o: faketime/image.S $(BUILD)/blob.bin
	@mkdir -p $(@D)
	$(CC) -DIMAGE='"$(BUILD)/blob.bin"' -DSTART=image_start -DEND=image_end -c -o $@ $<
$(BUILD)/obj/faketime/trap_image.o: faketime/image.S $(BUILD)/trap.bin
	@mkdir -p $(@D)
	$(CC) -DIMAGE='"$(BUILD)/trap.bin"' -DSTART=trap_image_start -DEND=trap_image_end -c -o $@ $<

$(BUILD)/target-builtin: $(BUILTIN) $(WIRE)
	$(CC) $(LDFLAGS) -o $@ $^ -lssl -lcrypto -lev -ljansson -lm

$(BUILD)/stage-init: $(STAGE) $(WIRE)
	$(CC) $(LDFLAGS) -o $@ $^ -lm

# The names of all sources, in a file that is new when one of them has come or gone. error.o is in
# every program, so each is then linked anew, without what was deleted.
SOURCES = $(sort $(wildcard $(addsuffix /*.c,clients fakeca faketime testbed testbed/*)) $(LUA))
$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' >$@
$(BUILD)/vocabulary.S $(addprefix $(BUILD)/obj/,testbed/wire/error.o pic/testbed/wire/error.o \
  quick/testbed/wire/error.o): $(BUILD)/sources

# The scenario vocabulary travels inside the program.
$(BUILD)/vocabulary.S: testbed/vocabulary.sh $(LUA)
	@mkdir -p $(@D)
	@sh testbed/vocabulary.sh $(LUA) >$@
$(BUILD)/obj/vocabulary.o: $(BUILD)/vocabulary.S
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

LIBS_rehearse := $(shell pkg-config --libs lua5.4 2>/dev/null) -lev -ljansson -lm
$(BUILD)/rehearse: $(BUILD)/obj/testbed/main.o $(TESTBED) $(PAGE) $(WIRE) $(BUILD)/obj/vocabulary.o
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_rehearse)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.SECONDARY:
.DELETE_ON_ERROR:

# --- tests: tests/FOLDER/NAME.c becomes build/tests/FOLDER/NAME; tests/FOLDER/NAME.t runs as it is ---

UNITS = $(patsubst %.c,$(BUILD)/%,$(sort $(filter-out tests/fuzz/%,$(wildcard tests/*/*.c))))

UNDER_wire     = $(WIRE)
UNDER_clients  = $(CLIENT_PARTS) $(PAGE) $(WIRE)
UNDER_fakeca   = $(FAKECA) $(PAGE) $(WIRE)
UNDER_faketime = $(CLOCK) $(WIRE)
UNDER_testbed  = $(TESTBED) $(PAGE) $(WIRE) $(BUILD)/obj/vocabulary.o
LIBS_UNDER_wire     = -lm
LIBS_UNDER_clients  = -lev -ljansson -lm
LIBS_UNDER_fakeca   = $(LIBS_fakeca)
LIBS_UNDER_faketime = -lm
LIBS_UNDER_testbed  = $(LIBS_rehearse)
# The parts of a client that need no TLS library underneath.
CLIENT_PARTS = $(filter-out $(BUILD)/obj/clients/client.o,$(CLIENT))

.SECONDEXPANSION:
$(UNITS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $$(UNDER_$$(subst /,,$$(dir $$*)))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS_UNDER_$(patsubst %/,%,$(dir $*)))

# tests/fuzz/NAME.c, one of libFuzzer's targets for a parser of fakeca, becomes build/fuzz/fuzz-NAME
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz-%,$(sort $(wildcard tests/fuzz/*.c)))
$(FUZZERS): $(BUILD)/fuzz-%: $(BUILD)/obj/tests/fuzz/%.o $(UNDER_fakeca)
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_fakeca)

# Most of them wait, and those that wait longest begin first.
LONGEST = $(addprefix tests/,scenarios/all.t scenarios/inverted.t faketime/killed.t testbed/managed.t testbed/orphans.t)
TESTS ?= $(LONGEST) $(filter-out $(LONGEST),$(UNITS) $(sort $(wildcard tests/*/*.t)))
PROVE  = BUILD=$(BUILD) CMOCKA_MESSAGE_OUTPUT=TAP prove -j4 --timer --exec ''

# --- what people type --------------------------------------------------------------------------

# What installs packages first builds in a make of its own: two jobs at a time, unless told otherwise.
JOBS = --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j2)

run: deps-build
	@$(MAKE) $(JOBS) all >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	$(BUILD)/rehearse run scenarios/expiry/leaf-expires.lua

check: deps-check
	@$(MAKE) $(JOBS) all $(UNITS)
	$(PROVE) $(TESTS)

# Every step, every runtime, every ACME client, and hundreds of times: the same tests, at length.
check-long: deps-long
	@$(MAKE) $(JOBS) all $(UNITS)
	REHEARSE_LONG=1 $(PROVE) $(TESTS)

units: $(UNITS)
fuzzers: $(FUZZERS)

docs: all
	$(BUILD)/rehearse words --markdown >docs/scenarios.md
	$(BUILD)/fakeca faults --markdown >docs/faults.md
	sed -i '/^|/d' docs/outcomes.md
	$(BUILD)/client-openssl --outcomes --markdown >>docs/outcomes.md
	$(BUILD)/fakeca faults --serve --markdown >docs/authority.md

# The rows of docs/survival.md, as they are played: it takes an hour.
survival: all
	$(BUILD)/rehearse run scenarios/calendar/survival*.lua >$(BUILD)/survival.tap
	sed -i '/` |$$/d' docs/survival.md
	sed -n 's/^# \(| .*` |\)$$/\1/p' $(BUILD)/survival.tap >>docs/survival.md

lint: deps-lint
	clang-format --dry-run -Werror $(shell git ls-files '*.c' '*.h')
	clang-tidy --quiet $(shell git ls-files '*.c') -- $(CPPFLAGS) -std=gnu11
	luacheck --quiet $(LUA) scenarios tests/testbed/lua

# A thread that is cancelled leaves marks on its stack, of which its alternate signal stack would run afoul as it ends.
asan: deps-asan
	ASAN_OPTIONS=use_sigaltstack=0 REHEARSE_SLACK=8 $(MAKE) BUILD=build/asan CC=clang CFLAGS='-O1 -g' \
	  SANITIZE='-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all' \
	  check

fuzz: deps-asan
	$(MAKE) BUILD=build/fuzz CC=clang CFLAGS='-O1 -g' \
	  SANITIZE='-fsanitize=address,undefined,fuzzer-no-link -fno-omit-frame-pointer -fno-sanitize-recover=all' \
	  fuzzers
	tests/fuzz.sh build/fuzz $(FUZZ_SECONDS)

bench: deps-bench
	@$(MAKE) $(JOBS) all
	tests/bench.sh $(BUILD)

# A program finds the others beside itself, so they stay together; people find theirs in bin.
TYPED    = rehearse fakeca fakeclock target-builtin $(addprefix client-,$(LIBRARIES))
TOGETHER = $(DESTDIR)$(PREFIX)/lib/rehearse
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(TOGETHER)
	install -m 755 $(PROGRAMS) $(TOGETHER)
	for name in $(TYPED); do ln -sf ../lib/rehearse/$$name $(DESTDIR)$(PREFIX)/bin/$$name || exit; done
	find scenarios -name '*.lua' -exec install -D -m 644 {} $(DESTDIR)$(PREFIX)/share/rehearse/{} \;

clean:
	rm -rf $(BUILD) $(BUILD).log

help:
	@sed -n 's/^#   //p' Makefile
	@echo 'make all      build everything into $(BUILD)/'
	@echo 'make deps     install the Debian packages that building and testing need'
	@echo 'make check-long  the tests at length, with every runtime and ACME client that Debian has'
	@echo 'make lint     clang-format, clang-tidy and luacheck'
	@echo 'make asan     the tests again, under AddressSanitizer and UBSan'
	@echo 'make fuzz     each parser of untrusted bytes for FUZZ_SECONDS ($(FUZZ_SECONDS)), with libFuzzer'
	@echo 'make bench    what it costs, beside public tools, in one run'
	@echo 'make install  into $$PREFIX ($(PREFIX))'
	@echo 'make units    the C tests, built and not run'
	@echo 'make docs     the tables in docs/ that programs print'
	@echo 'make survival the table of docs/survival.md, measured anew'
	@echo 'make clean    remove $(BUILD)/'

# --- Debian packages ---------------------------------------------------------------------------

deps: deps-check
deps-%: ; @sh tests/deps.sh $(or $(DEPS_$(shell echo $* | tr a-z A-Z)),$(error no such list of packages))

.PHONY: all run check check-long units docs survival fuzzers lint asan fuzz bench install clean help deps FORCE
