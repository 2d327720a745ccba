# Rule 8: another boot ends every life; numbers mean others from then on.
start arg0=1
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
exit pid=20 ppid=10 arg0=0 arg1=17
start arg0=2
fork pid=20 ppid=10
---
1 start 0/0
2 fork 20/20
  born -4 10/10
  born 2 20/20
3 fork 20/21
  born 3 20/21
4 exit 20/20
  ended 2 by exit at 4000
5 start 0/0
  ended 3 by boot at 0
  process ended 2 at 0
  ended -4 by boot at 0
  process ended -4 at 0
6 fork 20/20
  born -12 10/10
  born 6 20/20
-12 10/10 unseen parent 0 (0/0) process -12 start 0 comm ? tasks 1
-4 10/10 unseen parent 0 (0/0) process -4 start 0 comm ? boot 0 code 0x0 process end 0
2 20/20 fork parent -4 (10/10) process 2 start 2000 comm ? exit 4000 code 0x0 process end 0 by boot code 0x0
3 20/21 fork parent -4 (10/10) process 2 start 3000 comm ? boot 0 code 0x0
6 20/20 fork parent -12 (10/10) process 6 start 6000 comm ? tasks 1
