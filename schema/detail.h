/* detail.h - what /proc said of a task at an exec or snapshot, field by field, with how each was come by.  No I/O.
 *
 * Packed: for each field u8 tag, u8 state, varint bytes, the bytes; in ascending order of tag.  Unknown tags are skipped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For ever: these are numbers on disk. */
enum detail_tag {
	DETAIL_EXE = 1,  /* readlink of exe: raw bytes */
	DETAIL_ARGV = 2, /* cmdline as read: arguments, each followed by NUL */
	DETAIL_CWD = 3,  /* readlink of cwd */
	DETAIL_CGROUP =
		4, /* the path of the v2 hierarchy ("0::"), else of name=systemd, else the first line's */
	DETAIL_IDS = 5,       /* le32 x 4: ruid, euid, rgid, egid, initial user namespace */
	DETAIL_LOGINUID = 6,  /* le32; 4294967295 is "never logged in" */
	DETAIL_SESSIONID = 7, /* le32, the audit session; 4294967295 likewise */
	DETAIL_COMM = 8,      /* raw bytes, without NUL */
	DETAIL_NOTE = 9,      /* of the recorder's own events: text, "name=value" lines */
	DETAIL_PIDNS = 10,    /* le32, the inode of the pid namespace */
	DETAIL_REDACTIONS =
		11, /* le32, how many secrets were taken out of argv; only where there were some */
	DETAIL_TAG_LIMIT = 12,
};

/* Cgroup and loginuid count as read, too, when they were read of an earlier process with the same cgroup id, or audit session: behind these the
 * kernel never changes them. */
enum detail_state {
	DETAIL_ABSENT = 0, /* not asked for */
	DETAIL_READ = 1,   /* bytes are what was read; may be none (argv of a kernel thread) */
	DETAIL_GONE = 2,   /* the task had ended, or ran something else, before it could be read */
	DETAIL_DENIED = 3, /* not permitted */
	DETAIL_TRUNCATED = 4, /* bytes are the beginning of what there was */
	DETAIL_REDACTED =
		5, /* bytes are what was read, but that markers stand in the place of secrets */
	DETAIL_REDACTED_TRUNCATED = 6, /* both */
	DETAIL_WITHHELD = 7,           /* the recorder was told not to record it */
	DETAIL_OVERLOAD =
		8, /* given up: for the room of events, or read while later events of its process were still to come */
};

struct detail_field {
	const uint8_t *data; /* NULL when bytes is 0 */
	uint32_t bytes;
	uint8_t state; /* enum detail_state; a value of a later version is kept */
};

struct detail {
	struct detail_field field[DETAIL_TAG_LIMIT]; /* by tag; index 0 is unused */
};

/* The word for a state: "absent", "read", "gone", "denied", "truncated", "redacted", "redacted,truncated", "withheld", "overload", else
 * "other".  Static. */
const char *detail_state_word(unsigned state);

/* Whether bytes tell something of what there was; whether they are only its beginning. */
bool detail_known(const struct detail_field *field);
bool detail_cut(const struct detail_field *field);

/* Packs every field whose state is not DETAIL_ABSENT.  0, or -ENOSPC when capacity is too small. */
int detail_pack(const struct detail *detail, uint8_t *out, size_t capacity, size_t *ret_bytes);

/* Reads packed details; the fields point into packed.  0, or -EBADMSG. */
int detail_unpack(const uint8_t *packed, size_t bytes, struct detail *ret_detail);

/* Cuts the name to what the kernel keeps of one and tells in its events: of its own threads /proc has longer ones. */
void detail_cut_comm(struct detail *detail);

/* The u32 in a field of 4 (index 0) or more bytes.  0, or -ENOENT: not known (state neither READ, or too short). */
int detail_u32(const struct detail *detail, enum detail_tag tag, unsigned index,
	       uint32_t *ret_value);
