/* test_ring_memory.c - memory that runs out while blocks are sealed: events go out all the same, and keyframes go on once there is some.
 * Holds invariant 7 of FORMAT.md.
 */
#include "tests/failing_malloc.h"
#include "tests/ring_fixture.h"

#ifndef SANITIZED
/* Seals one block while every allocation from number `n` on fails. */
static bool seal_without(struct ring_writer *writer, uint64_t n)
{
	struct ring_seal seal = { 0 };
	uint64_t events;
	int r;

	(void)stage_some(writer, 90);
	allocations = 0;
	fail_at = n;
	fail_on = true;
	r = ring_writer_seal(writer, &seal, true, &events);
	fail_at = 0;
	return r == 0;
}
#endif

int main(void)
{
#ifdef SANITIZED
	skip_all("the sanitizer has its own malloc()");
#else
	struct ring_opened opened;
	struct ring_writer *writer;
	struct ring *ring;
	uint64_t keyframe_no = 0, first, next, digest;
	unsigned failed = 0;
	bool found;

	fixture_begin();
	writer = writer_open(boot_one, &opened);
	write_blocks(writer, 3);
	for (uint64_t n = 1; n <= 20; n++)
		failed += !seal_without(writer, n);
	ok(failed == 0, "blocks are sealed without memory (%u were not)", failed);
	write_blocks(writer, 100);
	digest = lives_digest(ring_writer_lives(writer));
	ring = reader_open();
	(void)ring_refresh(ring, &first, &next);
	found = ring_find_keyframe(ring, next - 1, &keyframe_no) == 0;
	ok(found && keyframe_no + 60 > next,
	   "keyframes go on afterwards (the newest in block %llu of %llu)",
	   (unsigned long long)keyframe_no, (unsigned long long)next);
	ring_close(ring);
	ring_writer_close(writer);
	writer = writer_open(boot_one, &opened);
	ok(lives_digest(ring_writer_lives(writer)) == digest,
	   "and the fold is that which a start makes");
	ring_writer_close(writer);
	return done_testing();
#endif
}
