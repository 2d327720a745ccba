# The name at birth stays that of the birth.
snapshot pid=10 ppid=1 arg0=6 read=sh:/bin/sh ids=0
fork pid=20 ppid=10
comm pid=20 comm=one
comm pid=20 comm=two
exec pid=20 read=three:/bin/three ids=0
---
1 snapshot 10/10
  born 1 10/10
  named 1 sh by snapshot at 1000
2 fork 20/20
  born 2 20/20
3 comm 20/20
  named 2 one by comm at 3000
4 comm 20/20
  named 2 two by comm at 4000
5 exec 20/20
  named 2 three by exec at 5000
1 10/10 snapshot parent 0 (1/1) process 1 start 6 comm sh (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
2 20/20 fork parent 1 (10/10) process 2 start 2000 comm three (born sh) image 5 of 2 cred 1 uid 0/0 gid 0/0 tasks 1
