# Rule 2: who dumped core tells so, and its process did whichever task ends last.
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
exit pid=20 tid=21 arg0=0x86 arg1=4294967295
exit pid=20 ppid=10 arg0=0x6 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/21
  born 2 20/21
3 exit 20/21
  ended 2 by exit at 3000
4 exit 20/20
  ended 1 by exit at 4000
  process ended 1 at 4000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? exit 4000 code 0x6 process end 4000 by exit code 0x86
2 20/21 fork parent -2 (10/10) process 1 start 2000 comm ? exit 3000 code 0x86
