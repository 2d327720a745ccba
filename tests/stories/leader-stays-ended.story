# A leader that ended before its thread is not back because a snapshot has it: not where its program could not be read, nor where it is said to be gone.
start arg0=1
fork pid=20 ppid=1
fork pid=20 tid=21 ppid=1
exit pid=20 ppid=1 arg0=0 arg1=17
fork pid=30 ppid=1
fork pid=30 tid=31 ppid=1
exit pid=30 ppid=1 arg0=0 arg1=17
rescan
snapshot pid=20 ppid=1 arg0=2000 read=main: gone=exe
snapshot pid=20 tid=21 ppid=1 arg0=3000
snapshot pid=30 ppid=1 arg0=5000 arg2=1 read=main:/bin/main
snapshot pid=30 tid=31 ppid=1 arg0=6000 arg2=1
snapshot_end arg0=4
---
1 start 0/0
2 fork 20/20
  born -4 1/1
  born 2 20/20
3 fork 20/21
  born 3 20/21
4 exit 20/20
  ended 2 by exit at 4000
5 fork 30/30
  born 5 30/30
6 fork 30/31
  born 6 30/31
7 exit 30/30
  ended 5 by exit at 7000
8 rescan 0/0
9 snapshot 20/20
  named 2 main by snapshot at 9000
10 snapshot 20/21
11 snapshot 30/30
  named 5 main by snapshot at 11000
12 snapshot 30/31
13 snapshot_end 0/0
  ended -4 by absent at 8000
  process ended -4 at 8000
-4 1/1 unseen parent 0 (0/0) process -4 start 0 comm ? absent 8000 code 0x0 process end 8000 (exit due)
2 20/20 fork parent -4 (1/1) process 2 start 2000 comm main (born ?) image 9 of 2 exit 4000 code 0x0 tasks 1
3 20/21 fork parent -4 (1/1) process 2 start 3000 comm ?
5 30/30 fork parent -4 (1/1) process 5 start 5000 comm main (born ?) image 11 of 5 exit 7000 code 0x0 tasks 1
6 30/31 fork parent -4 (1/1) process 5 start 6000 comm ?
