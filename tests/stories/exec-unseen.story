# Rule 3 when the EXEC itself was lost: the leader exits twice.
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
exit pid=20 ppid=10 arg0=0 arg1=17
lost cpu=0 arg0=1
exit pid=20 ppid=10 arg0=0x100 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/21
  born 2 20/21
3 exit 20/20
  ended 1 by exit at 3000
4 lost 0/0
5 exit 20/20
  revived 1
  ended 2 by exec at 5000
  ended 1 by exit at 5000
  process ended 1 at 5000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? exit 5000 code 0x100 process end 5000
2 20/21 fork parent -2 (10/10) process 1 start 2000 comm ? exec 5000 code 0x0 (exit due)
