# A recorder that was killed and followed by another on the same socket: nobody's life is touched, and nothing counts as lost before.
start arg0=1
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=11 ppid=10 arg0=7 read=cat:/bin/cat ids=0
snapshot_end arg0=2
fork pid=20 ppid=10
start arg0=1 arg1=14
recovery arg0=5 arg1=1
exit pid=20 ppid=10 arg0=0 arg1=17
fork pid=11 ppid=10
fork pid=21 ppid=10
exit pid=10 ppid=1 arg0=0 arg1=17
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
6 start 0/0
7 recovery 0/0
8 exit 20/20
  ended 5 by exit at 8000
  process ended 5 at 8000
9 fork 11/11
  ended 3 by reused at 9000
  process ended 3 at 9000
  born 9 11/11
10 fork 21/21
  born 10 21/21
11 exit 10/10
  ended 2 by exit at 11000
  process ended 2 at 11000
2 10/10 snapshot parent 0 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 0/0 gid 0/0 exit 11000 code 0x0 process end 11000
3 11/11 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 reused 9000 code 0x0 process end 9000 (exit due)
5 20/20 fork parent 2 (10/10) process 5 start 5000 comm sh image 2 of 2 cred 2 uid 0/0 gid 0/0 exit 8000 code 0x0 process end 8000
9 11/11 fork parent 2 (10/10) process 9 start 9000 comm sh image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
10 21/21 fork parent 2 (10/10) process 10 start 10000 comm sh image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
