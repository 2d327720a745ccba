# A recorder that starts again in the same boot: who is in the new snapshot lives on, who is not is gone by then.
start arg0=1
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=11 ppid=10 arg0=7 read=cat:/bin/cat ids=0
snapshot pid=12 ppid=10 arg0=8 read=old:/bin/old ids=0
snapshot_end arg0=3
fork pid=20 ppid=10
stop
start arg0=1 arg1=2
snapshot pid=20 ppid=10 arg0=6000 read=less:/bin/less ids=0
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
snapshot pid=12 ppid=10 arg0=900000000 read=new:/bin/new ids=0
snapshot_end arg0=3
exit pid=11 arg0=0 arg1=17
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
  named 4 old by snapshot at 4000
5 snapshot_end 0/0
6 fork 20/20
  born 6 20/20
7 stop 0/0
8 start 0/0
9 snapshot 20/20
  named 6 less by snapshot at 9000
10 snapshot 10/10
11 snapshot 12/12
  ended 4 by reused at 11000
  process ended 4 at 11000
  born 11 12/12
  named 11 new by snapshot at 11000
12 snapshot_end 0/0
  ended 3 by absent at 8000
  process ended 3 at 8000
13 exit 11/11
  ended 3 by exit at 13000
  process ended 3 at 13000
2 10/10 snapshot parent 0 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 0/0 gid 0/0 tasks 1
3 11/11 snapshot parent 2 (10/10) process 3 start 7 comm cat (born ?) image 3 of 3 cred 3 uid 0/0 gid 0/0 exit 13000 code 0x0 process end 13000
4 12/12 snapshot parent 2 (10/10) process 4 start 8 comm old (born ?) image 4 of 4 cred 4 uid 0/0 gid 0/0 reused 11000 code 0x0 process end 11000
6 20/20 fork parent 2 (10/10) process 6 start 6000 comm less (born sh) image 9 of 6 cred 2 uid 0/0 gid 0/0 tasks 1
11 12/12 snapshot parent 2 (10/10) process 11 start 900000000 comm new (born ?) image 11 of 11 cred 11 uid 0/0 gid 0/0 tasks 1
