# A child is born with the name and program of its parent, runs another, sets its ids and ends.
snapshot pid=1 arg0=5 read=init:/sbin/init ids=0
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=1000
snapshot_end arg0=2
fork pid=20 ppid=10
exec pid=20 read=true:/bin/true ids=1000
uid pid=20 arg0=1000 arg1=0
gid pid=20 arg0=1000 arg1=50
exit pid=20 ppid=10 arg0=0x300 arg1=17
---
1 snapshot 1/1
  born 1 1/1
  named 1 init by snapshot at 1000
2 snapshot 10/10
  born 2 10/10
  named 2 sh by snapshot at 2000
3 snapshot_end 0/0
4 fork 20/20
  born 4 20/20
5 exec 20/20
  named 4 true by exec at 5000
6 uid 20/20
7 gid 20/20
8 exit 20/20
  ended 4 by exit at 8000
  process ended 4 at 8000
1 1/1 snapshot parent 0 (0/0) process 1 start 5 comm init (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
2 10/10 snapshot parent 1 (1/1) process 2 start 6 comm sh (born ?) image 2 of 2 cred 2 uid 1000/1000 gid 1000/1000 tasks 1
4 20/20 fork parent 2 (10/10) process 4 start 4000 comm true (born sh) image 5 of 4 cred 7 uid 1000/0 gid 1000/50 exit 8000 code 0x300 process end 8000
