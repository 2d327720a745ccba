# all (default) check lint fuzz bench ci clean install try
CC     ?= gcc
CFLAGS ?= -O2 -g
VARIANT ?= plain
B       = build/$(VARIANT)
WARN = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -Wwrite-strings
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -I$(B) $(WARN) -pthread $(CFLAGS) $(SAN)
LIBS = -lsqlite3 -lz -lmnl

SCHEMA_O   = $(patsubst %.c,$(B)/%.o,$(wildcard schema/*.c))
RECORDER_O = $(patsubst %.c,$(B)/%.o,$(filter-out recorder/main.c,$(wildcard recorder/*.c)))
QUERY_O    = $(patsubst %.c,$(B)/%.o,$(filter-out query/main.c,$(wildcard query/*.c)))
TESTS      = $(patsubst %.c,$(B)/%,$(wildcard tests/test_*.c))

all: $(B)/procledgerd $(B)/procledger

$(B)/procledgerd: $(B)/recorder/main.o $(RECORDER_O) $(SCHEMA_O)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
$(B)/procledger: $(B)/query/main.o $(QUERY_O) $(SCHEMA_O)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
$(B)/libschema.a: $(SCHEMA_O)
	ar rcs $@ $^
$(B)/librecorder.a: $(RECORDER_O)
	ar rcs $@ $^
$(B)/libquery.a: $(QUERY_O)
	ar rcs $@ $^
$(B)/tests/%: $(B)/tests/%.o $(B)/librecorder.a $(B)/libquery.a $(B)/libschema.a
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
$(B)/schema/index_sql.h: schema/index.sql
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' $< > $@
$(B)/schema/project.o: $(B)/schema/index_sql.h
$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

clean:
	rm -rf build
-include $(shell find build -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean
