# A parent is who bore the number then: not who bears it when the recorder looks again, nor who took the child when that one ended.
start arg0=1
snapshot pid=1 arg0=1 read=init:/init
snapshot pid=20 ppid=1 arg0=7 read=sh:/bin/sh
snapshot pid=30 ppid=20 arg0=8 read=cat:/bin/cat
snapshot_end arg0=3
fork pid=40 ppid=20
exit pid=20 ppid=1 arg0=0 arg1=17
fork pid=20 ppid=1
rescan
snapshot pid=1 arg0=1 read=init:/init
snapshot pid=20 ppid=1 arg0=8000 read=new:/bin/new
snapshot pid=30 ppid=1 arg0=8 read=cat:/bin/cat
snapshot pid=40 ppid=1 arg0=6000 read=dog:/bin/dog
snapshot_end arg0=4
---
1 start 0/0
2 snapshot 1/1
  born 2 1/1
  named 2 init by snapshot at 2000
3 snapshot 20/20
  born 3 20/20
  named 3 sh by snapshot at 3000
4 snapshot 30/30
  born 4 30/30
  named 4 cat by snapshot at 4000
5 snapshot_end 0/0
6 fork 40/40
  born 6 40/40
7 exit 20/20
  ended 3 by exit at 7000
  process ended 3 at 7000
8 fork 20/20
  born 8 20/20
9 rescan 0/0
10 snapshot 1/1
11 snapshot 20/20
  named 8 new by snapshot at 11000
12 snapshot 30/30
13 snapshot 40/40
  named 6 dog by snapshot at 13000
14 snapshot_end 0/0
2 1/1 snapshot parent 0 (0/0) process 2 start 1 comm init (born ?) image 2 of 2 tasks 1
3 20/20 snapshot parent 2 (1/1) process 3 start 7 comm sh (born ?) image 3 of 3 exit 7000 code 0x0 process end 7000
4 30/30 snapshot parent 3 (20/20) process 4 start 8 comm cat (born ?) image 4 of 4 tasks 1
6 40/40 fork parent 3 (20/20) process 6 start 6000 comm dog (born sh) image 13 of 6 tasks 1
8 20/20 fork parent 2 (1/1) process 8 start 8000 comm new (born init) image 11 of 8 tasks 1
