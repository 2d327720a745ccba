# Rule 1: an exec leaves one task and one name, which the threads it makes have.
snapshot pid=10 ppid=1 arg0=6 read=server:/bin/server ids=0
fork pid=10 tid=11 ppid=1
comm pid=10 tid=11 comm=worker
exec pid=10 read=again:/bin/again ids=0
fork pid=10 tid=12 ppid=1
---
1 snapshot 10/10
  born 1 10/10
  named 1 server by snapshot at 1000
2 fork 10/11
  born 2 10/11
3 comm 10/11
  named 2 worker by comm at 3000
4 exec 10/10
  ended 2 by exec at 4000
  named 1 again by exec at 4000
5 fork 10/12
  born 5 10/12
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm again (born ?) image 4 of 1 cred 1 uid 0/0 gid 0/0 tasks 2
2 10/11 fork parent 0 (1/1) process 1 start 2000 comm worker (born server) image 1 of 1 cred 1 uid 0/0 gid 0/0 exec 4000 code 0x0 (exit due)
5 10/12 fork parent 0 (1/1) process 1 start 5000 comm again image 4 of 1 cred 1 uid 0/0 gid 0/0
