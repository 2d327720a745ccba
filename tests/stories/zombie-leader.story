# A leader that ended before its thread is in a later snapshot as what it is: with its thread, and with nothing to tell of its program.  Of 30 the
# EXIT waits behind the snapshot; 40 had ended so before the recorder knew it; 50 ran a program, unseen, by which its leader is back.
start arg0=1
fork pid=20 ppid=1
exec pid=20 read=sleep:/bin/sleep
fork pid=20 tid=21 ppid=1
exit pid=20 ppid=1 arg0=0 arg1=17
fork pid=30 ppid=1
fork pid=30 tid=31 ppid=1
fork pid=50 ppid=1
fork pid=50 tid=51 ppid=1
exit pid=50 ppid=1 arg0=0 arg1=17
lost cpu=0 arg0=2
rescan
snapshot pid=1 arg0=1 read=init:/init
snapshot pid=20 ppid=1 arg0=2000 arg2=1 read=sleep: gone=exe
snapshot pid=20 tid=21 ppid=1 arg0=4000 arg2=1
snapshot pid=30 ppid=1 arg0=6000 arg2=1 read=gone: gone=exe
snapshot pid=30 tid=31 ppid=1 arg0=7000 arg2=1
snapshot pid=40 ppid=1 arg0=70 arg2=1 read=gone: gone=exe
snapshot pid=40 tid=41 ppid=1 arg0=80 arg2=1
snapshot pid=50 ppid=1 arg0=8000 read=new:/bin/new
snapshot_end arg0=8
exit pid=30 ppid=1 arg0=0 arg1=17 at=9500
exit pid=30 tid=31 arg0=9 arg1=4294967295
exit pid=40 tid=41 arg0=0x200 arg1=4294967295
exit pid=20 tid=21 arg0=0x300 arg1=4294967295
exit pid=50 ppid=1 arg0=0x400 arg1=17
---
1 start 0/0
2 fork 20/20
  born -4 1/1
  born 2 20/20
3 exec 20/20
  named 2 sleep by exec at 3000
4 fork 20/21
  born 4 20/21
5 exit 20/20
  ended 2 by exit at 5000
6 fork 30/30
  born 6 30/30
7 fork 30/31
  born 7 30/31
8 fork 50/50
  born 8 50/50
9 fork 50/51
  born 9 50/51
10 exit 50/50
  ended 8 by exit at 10000
11 lost 0/0
12 rescan 0/0
13 snapshot 1/1
  named -4 init by snapshot at 13000
14 snapshot 20/20
15 snapshot 20/21
16 snapshot 30/30
  named 6 gone by snapshot at 16000
17 snapshot 30/31
  ended 6 by absent at 17000
18 snapshot 40/40
  born 18 40/40
  named 18 gone by snapshot at 18000
19 snapshot 40/41
  born 19 40/41
  ended 18 by absent at 19000
20 snapshot 50/50
  revived 8
  named 8 new by snapshot at 20000
21 snapshot_end 0/0
  ended 9 by absent at 12000
22 exit 30/30
  ended 6 by exit at 9500
23 exit 30/31
  ended 7 by exit at 23000
  process ended 6 at 23000
24 exit 40/41
  ended 19 by exit at 24000
  process ended 18 at 24000
25 exit 20/21
  ended 4 by exit at 25000
  process ended 2 at 25000
26 exit 50/50
  ended 8 by exit at 26000
  process ended 8 at 26000
-4 1/1 unseen parent 0 (0/0) process -4 start 1 comm init (born ?) image 13 of -4 tasks 1
2 20/20 fork parent -4 (1/1) process 2 start 2000 comm sleep (born ?) image 3 of 2 exit 5000 code 0x0 process end 25000 by exit code 0x300
4 20/21 fork parent -4 (1/1) process 2 start 4000 comm sleep image 3 of 2 exit 25000 code 0x300
6 30/30 fork parent -4 (1/1) process 6 start 6000 comm gone (born ?) image 16 of 6 exit 9500 code 0x0 process end 23000 by exit code 0x9
7 30/31 fork parent -4 (1/1) process 6 start 7000 comm ? exit 23000 code 0x9
8 50/50 fork parent -4 (1/1) process 8 start 8000 comm new (born ?) image 20 of 8 exit 26000 code 0x400 process end 26000
9 50/51 fork parent -4 (1/1) process 8 start 9000 comm ? absent 12000 code 0x0 (exit due)
18 40/40 snapshot parent -4 (1/1) process 18 start 70 comm gone (born ?) image 18 of 18 absent 19000 code 0x0 process end 24000 by exit code 0x200
19 40/41 snapshot parent -4 (1/1) process 18 start 80 comm ? image 18 of 18 exit 24000 code 0x200
