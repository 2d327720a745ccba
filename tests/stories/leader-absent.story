# A leader that is not in the snapshot, but a thread of its that was born behind the start: each ends with its own EXIT.  Of the second the number is
# given to another.
fork pid=20 ppid=10
fork pid=30 ppid=10
start arg0=0 arg1=2
fork pid=20 tid=21 ppid=10
fork pid=30 tid=31 ppid=10
snapshot_end arg0=0
exit pid=20 ppid=10 arg0=0 arg1=17
fork pid=30 ppid=10
fork pid=40 ppid=10
exit pid=20 tid=21 arg0=0x100 arg1=4294967295
exit pid=30 ppid=10 arg0=0x200 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 30/30
  born 2 30/30
3 start 0/0
4 fork 20/21
  born 4 20/21
5 fork 30/31
  born 5 30/31
6 snapshot_end 0/0
  ended 2 by absent at 3000
  ended 1 by absent at 3000
  ended -2 by absent at 3000
  process ended -2 at 3000
7 exit 20/20
  ended 1 by exit at 7000
8 fork 30/30
  ended 5 by reused at 8000
  process ended 2 at 8000
  born -16 10/10
  born 8 30/30
9 fork 40/40
  born 9 40/40
10 exit 20/21
  ended 4 by exit at 10000
  process ended 1 at 10000
11 exit 30/30
  ended 8 by exit at 11000
  process ended 8 at 11000
-16 10/10 unseen parent 0 (0/0) process -16 start 0 comm ? tasks 1
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? absent 3000 code 0x0 process end 3000 (exit due)
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? exit 7000 code 0x0 process end 10000 by exit code 0x100
2 30/30 fork parent -2 (10/10) process 2 start 2000 comm ? absent 3000 code 0x0 process end 8000 by reused code 0x0
4 20/21 fork parent -2 (10/10) process 1 start 4000 comm ? exit 10000 code 0x100
5 30/31 fork parent -2 (10/10) process 2 start 5000 comm ? reused 8000 code 0x0
8 30/30 fork parent -16 (10/10) process 8 start 8000 comm ? exit 11000 code 0x200 process end 11000
9 40/40 fork parent -16 (10/10) process 9 start 9000 comm ? tasks 1
