# SPDX-License-Identifier: MIT
# dltrain: make, make check, make install. Every object is below build/; nothing else is written but
# the programs.
#
#   make test T=test_csv              one unit test; T=config: one file of tests/cli; or several
#   make lint, make tidy              what a compiler does not check; clang-tidy
#   make debug                        -O0 -g3
#   make coverage [T="..."]           lines that the tests execute, by room
#   make SANITIZE=address,undefined   with sanitizers
#   make CC=clang                     another compiler
#   make ARCH=x86-64-v3               for other processors than this machine's (ARCH=: any)
#   make lib [ONEDNN=no]              libdltrain.so and .a, for other programs
#   make ONEDNN=no                    without oneDNN, even if it is installed; so ONNX=no
#   make fuzz [FUZZ=npy]              libFuzzer on every file reader, or one, FUZZ_SECONDS each
#   make replay                       the inputs kept from fuzzing, once, with any compiler
#   make torture [TORTURE="kill power"] crashes, full disks, hostile files, for TORTURE_SECONDS
#   make dist, make deb               a tarball of the last commit; a Debian package
#   make V=1                          show the commands
#
# Each of these variants is built in a folder of its own below build/. CI=true: warnings are errors.

PROGRAMS = dltrain dltest dlpredict dlinspect dlconvert
CC       = gcc
ARCH     = native
V        =
PREFIX   = /usr/local
DESTDIR  =
COMPLETIONS = $(PREFIX)/share
SANITIZE =

# The tests' threads sleep when they wait, as the programs' do: other work may share the machine.
export GOMP_SPINCOUNT ?= 2000

# oneDNN has no pkg-config file on every system: its header is looked for.
ONEDNN   := $(shell echo '\#include <oneapi/dnnl/dnnl.h>' | $(CC) -E -x c - >/dev/null 2>&1 \
              && echo yes || echo no)
# The messages of ONNX files are generated from the standard's own description.
ONNX_PROTO := $(firstword $(wildcard /usr/include/onnx/onnx.proto \
              /usr/local/include/onnx/onnx.proto))
ONNX     := $(if $(ONNX_PROTO),$(shell command -v protoc-c >/dev/null 2>&1 && \
              pkg-config --exists libprotobuf-c && echo yes || echo no),no)
comma    := ,
variant  := $(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(strip \
            )$(if $(filter yes,$(ONEDNN)),,-plain)$(if $(filter yes,$(ONNX)),,-no-onnx)$(strip \
            )$(if $(filter native,$(ARCH)),,-$(or $(ARCH),any))$(if $(VARIANT),-$(VARIANT))
BUILD    := build/$(notdir $(firstword $(CC)))$(variant)

PACKAGES := libconfig zlib jansson openblas
ifeq ($(filter clean format uninstall dist,$(MAKECMDGOALS)),)
ifneq ($(shell pkg-config --exists $(PACKAGES) && echo found),found)
$(error pkg-config does not find all of: $(PACKAGES). scripts/install_deps.sh installs them)
endif
endif
CPPFLAGS += -D_GNU_SOURCE -Isrc -Itests \
            $(shell pkg-config --cflags $(PACKAGES))
WARNINGS := -Wall -Wextra -Wshadow -Wpedantic -Wmissing-prototypes -Wstrict-prototypes \
            $(if $(CI),-Werror)
# Contraction to fused multiply-adds, and no errno: both leave every result defined.
OPTIMIZE := -O3 -g
ifeq ($(VARIANT),debug)
OPTIMIZE := -O0 -g3
endif
ifeq ($(VARIANT),coverage)
OPTIMIZE := -O1 -g --coverage
endif
ifeq ($(VARIANT),lib)
CPPFLAGS += -DDL_LIBRARY
OPTIMIZE := -O3 -g -fPIC -fvisibility=hidden
endif
CFLAGS   += -std=c11 $(OPTIMIZE) -ffp-contract=fast -fno-math-errno -fno-trapping-math -pthread
ifneq ($(ARCH),)
CFLAGS   += -march=$(ARCH)
endif
LDLIBS   += $(shell pkg-config --libs $(PACKAGES)) -lm -pthread
ifeq ($(ONEDNN),yes)
CPPFLAGS += -DDL_ONEDNN
LDLIBS   += -ldnnl
endif
ifeq ($(ONNX),yes)
GENERATED := $(BUILD)/generated
CPPFLAGS += -DDL_ONNX -isystem $(GENERATED) $(shell pkg-config --cflags libprotobuf-c)
LDLIBS   += $(shell pkg-config --libs libprotobuf-c)
endif
# The thread sanitizer does not know OpenMP's barriers: it checks the loader, without OpenMP.
ifneq ($(findstring thread,$(SANITIZE)),)
OPENMP   := -fopenmp-simd
else
OPENMP   := -fopenmp
endif
ifneq ($(SANITIZE),)
CFLAGS   += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -O1
LDFLAGS  += -fsanitize=$(SANITIZE)
endif
# For the targets of `make fuzz`: one thread, any finding ends it, and pictures may have fewer
# pixels, so that a large one neither takes all the time nor more memory than a target may.
ifneq ($(FUZZING),)
OPENMP   := -fopenmp-simd
CPPFLAGS += -DDL_IMAGE_MAX_PIXELS=1048576
CFLAGS   += -fsanitize=fuzzer-no-link -fno-sanitize-recover=all -Wno-pass-failed
# The kernels read no files, and clang takes more than ten minutes to instrument one of them.
$(BUILD)/src/math/%.o: CFLAGS += -fno-sanitize=all
endif

Q        := $(if $(V),,@)
sources  := $(filter-out src/cmd/% $(if $(GENERATED),,src/convert/onnx%),$(wildcard src/*/*.c))
common   := $(filter-out $(PROGRAMS:%=src/cmd/%.c),$(wildcard src/cmd/*.c))
objects  := $(sources:%.c=$(BUILD)/%.o) $(if $(GENERATED),$(GENERATED)/onnx.pb-c.o)
tests    := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))

.PHONY: all lib shared-library check check-long torture unit replay fuzz plain kernels \
    kernel-tests cli test tests debug coverage lint tidy format man bench install uninstall dist \
    deb clean
all: $(if $(SANITIZE)$(VARIANT),$(PROGRAMS:%=$(BUILD)/%),$(PROGRAMS))

# The programs in the top folder are those of the build that was asked for last; those with
# sanitizers, for debugging and for coverage stay below build/.
ifeq ($(SANITIZE)$(VARIANT),)
$(PROGRAMS): %: $(BUILD)/% FORCE
	@cmp -s $< $@ || cp -f $< $@
endif
FORCE:

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/src/cmd/%.o $(common:%.c=$(BUILD)/%.o) $(objects)
	@echo " LINK $@"
	$(Q)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The library: rooms that it needs, in position-independent code, exporting dltrain_… alone. Its
# programs have no business with OpenBLAS's memory before main (blas_memory.c).
version  := $(shell sed -n 's/^.define DL_VERSION "\(.*\)"/\1/p' src/base/version.h)
SONAME   := libdltrain.so.$(firstword $(subst ., ,$(version)))
lib_rooms   := base config math image formats augment layers losses metrics net data model run \
                 library
lib_objects := $(patsubst %.c,$(BUILD)/%.o,$(filter-out src/math/blas_memory.c,\
                 $(wildcard $(lib_rooms:%=src/%/*.c))))
lib:
	$(Q)$(MAKE) --no-print-directory VARIANT=lib ONNX=no shared-library
shared-library: $(BUILD)/libdltrain.so $(BUILD)/libdltrain.a
	@mkdir -p build/lib
	@cp -f $(BUILD)/libdltrain.a $(BUILD)/libdltrain.so.$(version) build/lib
	@ln -sf libdltrain.so.$(version) build/lib/$(SONAME)
	@ln -sf $(SONAME) build/lib/libdltrain.so
	@sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(version)|; s|@LIBS@|$(LDLIBS) -fopenmp|' \
	    scripts/dltrain.pc.in > build/lib/dltrain.pc
$(BUILD)/libdltrain.so: $(lib_objects) scripts/dltrain.map
	@echo " LINK $@"
	$(Q)$(CC) -shared $(CFLAGS) $(OPENMP) $(LDFLAGS) -Wl,-soname,$(SONAME) -Wl,-z,defs \
	    -Wl,--version-script=scripts/dltrain.map -o $@.$(version) $(lib_objects) $(LDLIBS)
	@ln -sf libdltrain.so.$(version) $@
$(BUILD)/libdltrain.a: $(lib_objects)
	@echo " AR   $@"
	$(Q)ld -r -o $(BUILD)/libdltrain.o $^
	$(Q)objcopy --wildcard --keep-global-symbol='dltrain_*' $(BUILD)/libdltrain.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $(BUILD)/libdltrain.o

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo " CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(OPENMP) $(WARNINGS) -MMD -MP -c -o $@ $<

ifneq ($(GENERATED),)
$(GENERATED)/onnx.pb-c.c: $(ONNX_PROTO)
	@mkdir -p $(@D)
	$(Q)protoc-c --c_out=$(@D) -I$(dir $<) $<
$(GENERATED)/onnx.pb-c.o: $(GENERATED)/onnx.pb-c.c
	@echo " CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -w -c -o $@ $<
$(patsubst src/%.c,$(BUILD)/src/%.o,$(wildcard src/convert/onnx*.c)): $(GENERATED)/onnx.pb-c.c
endif

$(BUILD)/test_%: $(BUILD)/tests/test_%.o $(BUILD)/tests/harness.o $(objects)
	@echo " LINK $@"
	$(Q)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# Gradient checks compile the same sources in double precision (tests/double.h).
DOUBLE := $(BUILD)/double
single_rooms := image formats augment metrics data model run library train inspect convert \
                  report
double_sources := $(filter-out $(patsubst %,src/%/%,$(single_rooms)),$(sources))
$(DOUBLE)/%.o: %.c tests/double.h
	@mkdir -p $(@D)
	@echo " CC   $@"
	$(Q)$(CC) -include tests/double.h $(CPPFLAGS) $(CFLAGS) $(OPENMP) $(WARNINGS) -MMD -MP -c -o $@ $<
$(patsubst %,$(BUILD)/%,$(filter test_gradient_%,$(tests))): $(BUILD)/%: $(DOUBLE)/tests/%.o \
    $(DOUBLE)/tests/harness.o $(double_sources:%.c=$(DOUBLE)/%.o)
	@echo " LINK $@"
	$(Q)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

# Fuzzing. A target is a function in tests/fuzz/targets.c; tests/fuzz/corpus/NAME has the files that
# it begins with, and those that once were a finding.
FUZZ         = $(notdir $(wildcard tests/fuzz/corpus/*))
FUZZ_SECONDS = 600
FUZZ_LIMITS  = -rss_limit_mb=2048 -malloc_limit_mb=100 -timeout=10 -max_len=16384
fuzz_objects = $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))
$(BUILD)/tests/fuzz/fuzz: $(fuzz_objects) $(objects)
	@echo " LINK $@"
	$(Q)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
$(BUILD)/tests/fuzz/replay: $(BUILD)/tests/fuzz/replay.o $(fuzz_objects) $(objects)
	@echo " LINK $@"
	$(Q)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $^ $(LDLIBS)

FUZZ_BUILD  := build/fuzz
fuzz:
	$(Q)$(MAKE) --no-print-directory CC=clang ONEDNN=no SANITIZE=address,undefined FUZZING=yes \
	    BUILD=$(FUZZ_BUILD) $(FUZZ_BUILD)/tests/fuzz/fuzz
	@for target in $(FUZZ); do \
	    found=$(FUZZ_BUILD)/corpus/$$target; mkdir -p $$found; echo "== $$target"; \
	    DL_FUZZ=$$target $(FUZZ_BUILD)/tests/fuzz/fuzz $(FUZZ_LIMITS) \
	        -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
	        -artifact_prefix=$(FUZZ_BUILD)/$$target- $$found tests/fuzz/corpus/$$target \
	        2>$(FUZZ_BUILD)/$$target.log || { tail -n 40 $(FUZZ_BUILD)/$$target.log; exit 1; }; \
	    grep -E 'DONE|stat::number_of|stat::peak' $(FUZZ_BUILD)/$$target.log; done

replay: $(BUILD)/tests/fuzz/replay
	@$< tests/fuzz/corpus/*/*

# Objects of the tests are kept, too.
.SECONDARY: $(tests:%=$(BUILD)/tests/%.o) $(BUILD)/tests/harness.o \
    $(tests:%=$(DOUBLE)/tests/%.o) $(fuzz_objects) $(BUILD)/tests/fuzz/replay.o

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

unit: $(tests:%=$(BUILD)/%)
	@failed=; for test in $^; do echo "== $$test"; $$test || failed="$$failed $$test"; done; \
	    if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

cli: $(PROGRAMS)
	bats $$([ ! -t 1 ] || echo --pretty) tests/cli

# T: unit tests and files of tests/cli, by their names or paths.
T      =
named := $(basename $(notdir $(T)))
test: $(PROGRAMS) $(patsubst %,$(BUILD)/%,$(filter $(tests),$(named)))
	@[ -n "$(T)" ] || { echo 'make test T=NAME: test_csv, say, or config' >&2; exit 2; }
	@for test in $(patsubst %,$(BUILD)/%,$(filter $(tests),$(named))); do $$test || exit 1; done
	$(if $(filter-out $(tests),$(named)),bats $(patsubst %,tests/cli/%.bats,$(filter-out \
	    $(tests),$(named))))

debug:
	$(Q)$(MAKE) --no-print-directory VARIANT=debug

# Lines executed, by gcov, of each room's .c files; T names some tests, or else all are run.
COVERAGE := build/coverage
coverage:
	$(Q)$(MAKE) --no-print-directory VARIANT=coverage BUILD=$(COVERAGE) all
	@find $(COVERAGE) -name '*.gcda' -delete
	$(Q)DLTRAIN_PROGRAMS=$(COVERAGE) $(MAKE) --no-print-directory -k VARIANT=coverage \
	    BUILD=$(COVERAGE) $(if $(T),test T="$(T)",unit cli) || true
	@find $(COVERAGE)/src -name '*.gcno' | xargs gcov -n 2>/dev/null | LC_ALL=C awk -F"[':% ]" ' \
	    $$1 == "File" { file = $$3 } \
	    $$1 == "Lines" && file ~ /^src\/.*\.c$$/ { split(file, part, "/"); room = part[2]; \
	        lines[room] += $$NF; hit[room] += $$3 * $$NF / 100 } \
	    END { for (room in lines) { printf "%-10s %6d of %6d lines  %5.1f %%\n", room, hit[room], \
	        lines[room], 100 * hit[room] / lines[room] } }' | sort

lint: $(PROGRAMS)
	scripts/lint.sh

tidy:
	scripts/lint.sh --tidy

# The numbers once more, in the build without oneDNN.
plain:
	$(Q)$(MAKE) --no-print-directory ONEDNN=no kernels
kernel_tests := $(patsubst %,$(BUILD)/test_%,math conv gradient_layers gradient_nets golden net)
kernel-tests: $(kernel_tests)
kernels: $(kernel_tests)
	@for test in $^; do echo "== $$test"; $$test || exit 1; done

# All that check runs, built but not run; make -j builds it on all processors.
tests: $(PROGRAMS) $(tests:%=$(BUILD)/%) $(BUILD)/tests/fuzz/replay
	$(Q)$(MAKE) --no-print-directory ONEDNN=no kernel-tests
check:
	$(Q)$(MAKE) --no-print-directory -k unit replay plain cli

check-long: $(PROGRAMS)
	scripts/check_long.sh

# Programs that are killed, refused by the disk, out of memory or cut off from power; hostile files.
TORTURE  =
torture: $(PROGRAMS)
	python3 tests/torture/torture.py $(TORTURE)

bench: $(PROGRAMS)
	scripts/bench.sh

man: $(PROGRAMS:%=man/%.1) man/dltrain.cfg.5
man/dltrain.cfg.5: dltrain
	./dltrain --help man > $@
man/%.1: %
	scripts/man_page.sh $* > $(BUILD)/$*.1
	@cmp -s $(BUILD)/$*.1 $@ || cp $(BUILD)/$*.1 $@

# The scripts that users call are dltrain-random-search and so on.
BIN      = $(DESTDIR)$(PREFIX)/bin
SHARE    = $(DESTDIR)$(PREFIX)/share/dltrain
LIB      = $(DESTDIR)$(PREFIX)/lib
HEADERS  = $(DESTDIR)$(PREFIX)/include
MAN      = $(DESTDIR)$(PREFIX)/share/man
BASH_COMPLETIONS = $(DESTDIR)$(COMPLETIONS)/bash-completion/completions
ZSH_COMPLETIONS  = $(DESTDIR)$(COMPLETIONS)/zsh/site-functions
SCRIPTS  = bagging capacity_curve cross_validate get_data grid_search learning_curve plot_curves \
           pretrain_autoencoder random_search
install: all lib
	install -d "$(BIN)" "$(BASH_COMPLETIONS)" "$(ZSH_COMPLETIONS)" "$(LIB)/pkgconfig" "$(HEADERS)"
	install $(PROGRAMS) "$(BIN)"
	install -m 644 src/library/dltrain.h "$(HEADERS)"
	install -m 644 build/lib/dltrain.pc "$(LIB)/pkgconfig"
	cp -P build/lib/libdltrain.* "$(LIB)"
	for file in $$(find configs -name '*.cfg') data/*.csv data/*.csv.gz data/README.md; do \
	    install -D -m 644 $$file "$(SHARE)/$$file" || exit 1; done
	install -D -m 644 -t "$(SHARE)/scripts" scripts/common.sh
	install -D -t "$(SHARE)/scripts" $(SCRIPTS:%=scripts/%.sh)
	for script in $(SCRIPTS); do \
	    ln -sf ../share/dltrain/scripts/$$script.sh \
	        "$(BIN)/dltrain-$$(echo $$script | tr _ -)" || exit 1; done
	install -D -m 644 -t "$(MAN)/man1" $(PROGRAMS:%=man/%.1)
	install -D -m 644 -t "$(MAN)/man5" man/dltrain.cfg.5
	for program in $(PROGRAMS); do \
	    ./$$program --help completion bash >"$(BASH_COMPLETIONS)/$$program" && \
	    ./$$program --help completion zsh >"$(ZSH_COMPLETIONS)/_$$program" || exit 1; done

uninstall:
	for program in $(PROGRAMS); do \
	    rm -f "$(BIN)/$$program" "$(MAN)/man1/$$program.1" "$(BASH_COMPLETIONS)/$$program" \
	        "$(ZSH_COMPLETIONS)/_$$program"; done
	rm -f "$(MAN)/man5/dltrain.cfg.5" "$(HEADERS)/dltrain.h" "$(LIB)/pkgconfig/dltrain.pc"
	rm -f "$(LIB)"/libdltrain.*
	for script in $(SCRIPTS); do rm -f "$(BIN)/dltrain-$$(echo $$script | tr _ -)"; done
	rm -rf "$(SHARE)"

# The same bytes for the same commit.
dist:
	@mkdir -p build
	git archive --format=tar --prefix=dltrain-$(version)/ HEAD | \
	    gzip -9n >build/dltrain-$(version).tar.gz

deb:
	scripts/make_deb.sh $(if $(filter command,$(origin ARCH)),$(ARCH),x86-64-v3)

format:
	clang-format -i src/*/*.[ch] tests/*.[ch] tests/fuzz/*.[ch]

clean:
	rm -rf build $(PROGRAMS)
