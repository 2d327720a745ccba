/* event_kinds.h - every kind of event, once.  Included with KIND(NAME, number, what, word, text) defined.
 *
 * number is the kind on disk: it is for ever, never reused.  Kinds below 32 come from the kernel, the others from the recorder.
 * what is the kernel's value (enum proc_cn_event in include/uapi/linux/cn_proc.h), 0xffffffff where the kernel has none.
 */
/* clang-format off */
KIND(NONE,          0, 0x00000000u, "none",         "answer of the kernel to a control message, with its error number")
KIND(FORK,          1, 0x00000001u, "fork",         "a process or thread was born")
KIND(EXEC,          2, 0x00000002u, "exec",         "a process runs another program")
KIND(UID,           3, 0x00000004u, "uid",          "real or effective user id set")
KIND(GID,           4, 0x00000040u, "gid",          "real or effective group id set")
KIND(SID,           5, 0x00000080u, "sid",          "a new session; its id is the pid")
KIND(PTRACE,        6, 0x00000100u, "ptrace",       "a tracer attached, or (tracer 0) detached")
KIND(COMM,          7, 0x00000200u, "comm",         "a task was given a name")
KIND(COREDUMP,      8, 0x40000000u, "coredump",     "a signal that dumps core, whether or not a core was written")
KIND(EXIT,          9, 0x80000000u, "exit",         "a task ended")
KIND(UNKNOWN,      31, 0xffffffffu, "unknown",      "a kind that this version does not know, kept raw")
KIND(START,        32, 0xffffffffu, "start",        "the recorder began, or an imported stream did")
KIND(STOP,         33, 0xffffffffu, "stop",         "the recorder ended in order")
KIND(SNAPSHOT,     34, 0xffffffffu, "snapshot",     "a task that was already there, read from /proc")
KIND(SNAPSHOT_END, 35, 0xffffffffu, "snapshot_end", "all tasks that were there have been written")
KIND(CLOCK,        36, 0xffffffffu, "clock",        "the three clocks, read together")
KIND(LOST,         37, 0xffffffffu, "lost",         "events that the kernel numbered and that did not arrive")
KIND(RECOVERY,     38, 0xffffffffu, "recovery",     "what a start after a crash took over")
KIND(BLIND,        39, 0xffffffffu, "blind",        "no events came although the kernel should have sent some; from here on they do")
KIND(DISK_ERROR,   40, 0xffffffffu, "disk_error",   "writing or syncing the ring failed, and its events went to another block; or syncing took too long")
KIND(RESCAN,       41, 0xffffffffu, "rescan",       "events had been lost, and every task that is there is read from /proc again")
/* clang-format on */
