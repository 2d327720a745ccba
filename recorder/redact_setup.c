#include "recorder/redact_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "recorder/session.h"
#include "schema/cleanup.h"

enum { RULES_MAX_BYTES = 256 << 10, KEY_MODE = 0600 };

/* All of a small file, at most capacity.  The bytes, or -errno; -EFBIG: it has more. */
static ssize_t file_read(const char *path, void *out, size_t capacity)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t bytes = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		char more;
		ssize_t n = bytes < capacity ? read(fd, (uint8_t *)out + bytes, capacity - bytes)
					     : read(fd, &more, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)bytes;
		if (bytes == capacity)
			return -EFBIG;
		bytes += (size_t)n;
	}
}

/* Written beside its place and linked into it: whoever comes second finds the key of the first, and nobody half of one. */
static int key_make(const char *path)
{
	char beside[SESSION_PATH_BYTES];
	uint8_t key[REDACT_KEY_BYTES];
	auto_close int fd = -1;
	ssize_t n;
	int r = 0;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid()) >=
	    sizeof(beside))
		return -ENAMETOOLONG;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	(void)unlink(beside);
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, KEY_MODE);
	if (fd < 0)
		return -errno;
	n = write(fd, key, sizeof(key));
	if (n != sizeof(key))
		r = n < 0 ? -errno : -ENOSPC;
	else if (fsync(fd) < 0 || (link(beside, path) < 0 && errno != EEXIST))
		r = -errno;
	explicit_bzero(key, sizeof(key));
	(void)unlink(beside);
	return r;
}

static int key_read(const struct options *options, uint8_t key[REDACT_KEY_BYTES],
		    struct verdict *ret_verdict)
{
	char path[SESSION_PATH_BYTES];
	ssize_t n;

	if (session_path(options, "redact.key", path, sizeof(path)) < 0)
		return verdict_set(ret_verdict, VERDICT_USAGE, "the name of the store is too long");
	n = file_read(path, key, REDACT_KEY_BYTES);
	if (n == -ENOENT) {
		n = key_make(path);
		if (n == 0)
			n = file_read(path, key, REDACT_KEY_BYTES);
	}
	if (n == -EFBIG || (n >= 0 && n != REDACT_KEY_BYTES))
		return verdict_set(ret_verdict, VERDICT_NO_STORE,
				   "%s has not %d bytes as a key has: remove it, and a new one is "
				   "made, under which the same secret has another marker",
				   path, REDACT_KEY_BYTES);
	if (n < 0)
		return verdict_set(ret_verdict,
				   n == -EACCES ? VERDICT_NO_PERMISSION : VERDICT_NO_STORE,
				   "cannot read or make %s, the key of what is redacted: %s", path,
				   strerror((int)-n));
	return 0;
}

/* The text of the rules; *ret_bytes 0: there are none. */
static int rules_read(const struct options *options, char *rules, size_t *ret_bytes,
		      struct verdict *ret_verdict)
{
	const char *path = options->redact_rules ? options->redact_rules : REDACT_RULES_DEFAULT;
	ssize_t n = file_read(path, rules, RULES_MAX_BYTES);

	if (n == -ENOENT && !options->redact_rules)
		n = 0;
	if (n < 0)
		return verdict_set(ret_verdict, VERDICT_USAGE,
				   "cannot read %s, the rules of what is redacted: %s", path,
				   strerror((int)-n));
	*ret_bytes = (size_t)n;
	return 0;
}

int redact_setup(const struct options *options, struct redactor **ret_redactor,
		 struct verdict *ret_verdict)
{
	auto_free char *rules = NULL;
	uint8_t key[REDACT_KEY_BYTES];
	char message[REDACT_MESSAGE_BYTES];
	size_t bytes = 0;
	int r;

	if (options->argv != ARGV_REDACT) {
		*ret_redactor = NULL;
		return 0;
	}
	rules = malloc(RULES_MAX_BYTES);
	if (!rules)
		return verdict_set(ret_verdict, VERDICT_FAILED, "memory ran out");
	r = rules_read(options, rules, &bytes, ret_verdict);
	if (r == 0)
		r = key_read(options, key, ret_verdict);
	if (r != 0)
		return r;
	r = redactor_new(key, rules, bytes, ret_redactor, message);
	explicit_bzero(key, sizeof(key));
	if (r == -EINVAL)
		return verdict_set(ret_verdict, VERDICT_USAGE, "%s, %s",
				   options->redact_rules ? options->redact_rules
							 : REDACT_RULES_DEFAULT,
				   message);
	if (r < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED, "memory ran out");
	return 0;
}
