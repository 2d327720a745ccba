# Who dumped core tells so; of the task that was the last nothing is known but that it has gone.
start arg0=1
fork pid=20 ppid=10
fork pid=20 tid=21 ppid=10
exit pid=20 tid=21 arg0=0x86 arg1=4294967295
rescan arg0=1
snapshot pid=10 ppid=1 arg0=6
snapshot_end arg0=1
---
1 start 0/0
2 fork 20/20
  born -4 10/10
  born 2 20/20
3 fork 20/21
  born 3 20/21
4 exit 20/21
  ended 3 by exit at 4000
5 rescan 0/0
6 snapshot 10/10
7 snapshot_end 0/0
  ended 2 by absent at 5000
  process ended 2 at 5000
-4 10/10 unseen parent 0 (1/1) process -4 start 6 comm ? tasks 1
2 20/20 fork parent -4 (10/10) process 2 start 2000 comm ? absent 5000 code 0x0 process end 5000 (exit due)
3 20/21 fork parent -4 (10/10) process 2 start 3000 comm ? exit 4000 code 0x86
