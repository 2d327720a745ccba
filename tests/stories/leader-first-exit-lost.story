# Rule 2 where the EXIT of the last thread was lost: how the process ended is not known.
start arg0=1
fork pid=20 ppid=1
fork pid=20 tid=21 ppid=1
exit pid=20 ppid=1 arg0=0 arg1=17
lost cpu=0 arg0=1
rescan
snapshot_end arg0=0
---
1 start 0/0
2 fork 20/20
  born -4 1/1
  born 2 20/20
3 fork 20/21
  born 3 20/21
4 exit 20/20
  ended 2 by exit at 4000
5 lost 0/0
6 rescan 0/0
7 snapshot_end 0/0
  ended 3 by absent at 6000
  process ended 2 at 6000
  ended -4 by absent at 6000
  process ended -4 at 6000
-4 1/1 unseen parent 0 (0/0) process -4 start 0 comm ? absent 6000 code 0x0 process end 6000 (exit due)
2 20/20 fork parent -4 (1/1) process 2 start 2000 comm ? exit 4000 code 0x0 process end 6000 by absent code 0x0
3 20/21 fork parent -4 (1/1) process 2 start 3000 comm ? absent 6000 code 0x0 (exit due)
