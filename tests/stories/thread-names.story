# Rule 1: a thread has the name of its process while all tasks bear it, and none that is known afterwards.
snapshot pid=10 ppid=1 arg0=6 read=server:/bin/server ids=0
fork pid=10 tid=11 ppid=1
comm pid=10 tid=11 comm=worker
fork pid=10 tid=12 ppid=1
exit pid=10 tid=11 arg0=0 arg1=4294967295
exit pid=10 tid=12 arg0=0 arg1=4294967295
exit pid=10 ppid=1 arg0=0x9 arg1=17
---
1 snapshot 10/10
  born 1 10/10
  named 1 server by snapshot at 1000
2 fork 10/11
  born 2 10/11
3 comm 10/11
  named 2 worker by comm at 3000
4 fork 10/12
  born 4 10/12
5 exit 10/11
  ended 2 by exit at 5000
6 exit 10/12
  ended 4 by exit at 6000
7 exit 10/10
  ended 1 by exit at 7000
  process ended 1 at 7000
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm server (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 exit 7000 code 0x9 process end 7000
2 10/11 fork parent 0 (1/1) process 1 start 2000 comm worker (born server) image 1 of 1 cred 1 uid 0/0 gid 0/0 exit 5000 code 0x0
4 10/12 fork parent 0 (1/1) process 1 start 4000 comm ? image 1 of 1 cred 1 uid 0/0 gid 0/0 exit 6000 code 0x0
