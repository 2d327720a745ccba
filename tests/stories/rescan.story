# Events were lost, and some time later the recorder looks again.  The end of 11 was lost: it has gone.  The birth of 30 was lost: it is there.  What
# waited in the socket meanwhile comes behind the snapshot: the end of 12, which had gone before it was read, and the birth of 40, which was in it.
start arg0=1
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=11 ppid=10 arg0=7 read=cat:/bin/cat ids=0
snapshot pid=12 ppid=10 arg0=8 read=ls:/bin/ls ids=0
snapshot_end arg0=3
lost cpu=1 arg0=2 arg1=5000
rescan arg0=2
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=30 ppid=10 arg0=5500 read=new:/bin/new ids=0
snapshot pid=40 ppid=10 arg0=7100 read=sh:/bin/sh ids=0
snapshot_end arg0=3
fork pid=40 ppid=10 at=7100
exit pid=12 ppid=10 arg0=0 arg1=17 at=7200
---
1 start 0/0
2 snapshot 10/10
  born 2 10/10
  named 2 sh by snapshot at 2000
3 snapshot 11/11
  born 3 11/11
  named 3 cat by snapshot at 3000
4 snapshot 12/12
  born 4 12/12
  named 4 ls by snapshot at 4000
5 snapshot_end 0/0
6 lost 0/0
7 rescan 0/0
8 snapshot 10/10
9 snapshot 30/30
  born 9 30/30
  named 9 new by snapshot at 9000
10 snapshot 40/40
  born 10 40/40
  named 10 sh by snapshot at 10000
11 snapshot_end 0/0
  ended 4 by absent at 7000
  process ended 4 at 7000
  ended 3 by absent at 7000
  process ended 3 at 7000
12 fork 40/40
  born 12 40/40
  merged 10 into 12
13 exit 12/12
  ended 4 by exit at 7200
  process ended 4 at 7200
2 10/10 snapshot parent 0 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
3 11/11 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 absent 7000 code 0x0 process end 7000 (exit due)
4 12/12 snapshot parent 2 (10/10) process 4 start 8 comm ls (born ?) image 4 of 4 cred 4 uid 0/0 gid 0/0 exit 7200 code 0x0 process end 7200
9 30/30 snapshot parent 2 (10/10) process 9 start 5500 comm new (born ?) image 9 of 9 cred 9 uid 0/0 gid 0/0 tasks 1
12 40/40 fork parent 2 (10/10) process 12 start 7100 comm sh image 10 of 12 cred 10 uid 0/0 gid 0/0 tasks 1
