# The kernel fell silent: who is not in the snapshot behind it has gone, whoever is in it lives on, and a birth may have been missed.
start arg0=1
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=11 ppid=10 arg0=7 read=cat:/bin/cat ids=0
snapshot_end arg0=2
fork pid=20 ppid=10
blind arg0=3 arg1=5000
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=20 ppid=10 arg0=5000 read=ls:/bin/ls ids=0
snapshot pid=30 ppid=10 arg0=5500 read=new:/bin/new ids=0
snapshot_end arg0=3
exit pid=20 ppid=10 arg0=0 arg1=17
---
1 start 0/0
2 snapshot 10/10
  born 2 10/10
  named 2 sh by snapshot at 2000
3 snapshot 11/11
  born 3 11/11
  named 3 cat by snapshot at 3000
4 snapshot_end 0/0
5 fork 20/20
  born 5 20/20
6 blind 0/0
7 snapshot 10/10
8 snapshot 20/20
  named 5 ls by snapshot at 8000
9 snapshot 30/30
  born 9 30/30
  named 9 new by snapshot at 9000
10 snapshot_end 0/0
  ended 3 by absent at 6000
  process ended 3 at 6000
11 exit 20/20
  ended 5 by exit at 11000
  process ended 5 at 11000
2 10/10 snapshot parent 0 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
3 11/11 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 absent 6000 code 0x0 process end 6000 (exit due)
5 20/20 fork parent 2 (10/10) process 5 start 5000 comm ls (born sh) image 8 of 5 cred 2 uid 0/0 gid 0/0 exit 11000 code 0x0 process end 11000
9 30/30 snapshot parent 2 (10/10) process 9 start 5500 comm new (born ?) image 9 of 9 cred 9 uid 0/0 gid 0/0 tasks 1
