# The kernel names its threads without a COMM: the FORK has what /proc said.  What it forks for a program has not.
snapshot pid=2 arg0=5 read=kthreadd: ids=0
snapshot_end arg0=1
fork pid=20 ppid=2 read=jbd2/loop0-8: ids=0
fork pid=21 ppid=2
exec pid=21 read=modprobe:/sbin/modprobe ids=0
exit pid=20 ppid=2
---
1 snapshot 2/2
  born 1 2/2
  named 1 kthreadd by snapshot at 1000
2 snapshot_end 0/0
3 fork 20/20
  born 3 20/20
4 fork 21/21
  born 4 21/21
5 exec 21/21
  named 4 modprobe by exec at 5000
6 exit 20/20
  ended 3 by exit at 6000
  process ended 3 at 6000
1 2/2 snapshot parent 0 (0/0) process 1 start 5 comm kthreadd (born ?) image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
3 20/20 fork parent 1 (2/2) process 3 start 3000 comm jbd2/loop0-8 image 3 of 3 cred 1 uid 0/0 gid 0/0 exit 6000 code 0x0 process end 6000
4 21/21 fork parent 1 (2/2) process 4 start 4000 comm modprobe (born kthreadd) image 5 of 4 cred 1 uid 0/0 gid 0/0 tasks 1
