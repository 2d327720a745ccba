/* tiny.c - the shortest life that a program can have: static, and all that it does is exit.  Made without libc (Makefile). */
#include <asm/unistd.h>

void _start(void);

__attribute__((noreturn)) void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(__NR_exit), "D"(0) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long number __asm__("x8") = __NR_exit;
	register long code __asm__("x0") = 0;

	__asm__ volatile("svc 0" : : "r"(number), "r"(code) : "memory");
#endif
	__builtin_unreachable();
}
