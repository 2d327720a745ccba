# Rule 3: thread 22 runs exec: 21 exits, the leader seems to, 22 never does.
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
fork pid=20 tid=22 ppid=10
exit pid=20 tid=21 arg0=0 arg1=4294967295
exit pid=20 ppid=10 arg0=0 arg1=17
exec pid=20 read=new:/bin/new
exit pid=20 ppid=10 arg0=0x100 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/21
  born 2 20/21
3 fork 20/22
  born 3 20/22
4 exit 20/21
  ended 2 by exit at 4000
5 exit 20/20
  ended 1 by exit at 5000
6 exec 20/20
  revived 1
  ended 3 by exec at 6000
  named 1 new by exec at 6000
7 exit 20/20
  ended 1 by exit at 7000
  process ended 1 at 7000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm new (born ?) image 6 of 1 exit 7000 code 0x100 process end 7000
2 20/21 fork parent -2 (10/10) process 1 start 2000 comm ? exit 4000 code 0x0
3 20/22 fork parent -2 (10/10) process 1 start 3000 comm ? exec 6000 code 0x0 (exit due)
