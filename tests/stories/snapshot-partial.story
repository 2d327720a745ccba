# A snapshot that was not whole has no end: nobody is gone for missing in it, and who is in it is known, with the parent that stands before.
start arg0=1
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=11 ppid=10 arg0=7 read=cat:/bin/cat ids=0
snapshot_end arg0=2
stop
start arg0=1 arg1=2
snapshot pid=30 ppid=11 arg0=5500 read=ls:/bin/ls ids=0
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=40 ppid=10 arg0=5600 read=new:/bin/new ids=0
exit pid=11 ppid=10 arg0=0 arg1=17
---
1 start 0/0
2 snapshot 10/10
  born 2 10/10
  named 2 sh by snapshot at 2000
3 snapshot 11/11
  born 3 11/11
  named 3 cat by snapshot at 3000
4 snapshot_end 0/0
5 stop 0/0
6 start 0/0
7 snapshot 30/30
  born 7 30/30
  named 7 ls by snapshot at 7000
8 snapshot 10/10
9 snapshot 40/40
  born 9 40/40
  named 9 new by snapshot at 9000
10 exit 11/11
  ended 3 by exit at 10000
  process ended 3 at 10000
2 10/10 snapshot parent 0 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
3 11/11 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 exit 10000 code 0x0 process end 10000
7 30/30 snapshot parent 0 (11/11) process 7 start 5500 comm ls (born ?) image 7 of 7 cred 7 uid 0/0 gid 0/0 tasks 1
9 40/40 snapshot parent 2 (10/10) process 9 start 5600 comm new (born ?) image 9 of 9 cred 9 uid 0/0 gid 0/0 tasks 1
