# Of an exec of which nothing could be read neither program nor name is known: not that of before.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
fork pid=20 ppid=10
exec pid=20
fork pid=30 ppid=20
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 fork 20/20
  born 2 20/20
3 exec 20/20
  named 2 (not known) by exec at 3000
4 fork 30/30
  born 4 30/30
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm sh (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
2 20/20 fork parent 1 (10/10) process 2 start 2000 comm ? (born sh) cred 1 uid 0/0 gid 0/0 tasks 1
4 30/30 fork parent 2 (20/20) process 4 start 4000 comm ? cred 1 uid 0/0 gid 0/0 tasks 1
