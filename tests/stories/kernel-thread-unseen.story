# A thread of the kernel has its name where nothing is known of kthreadd.
fork pid=20 ppid=2 read=jbd2/loop0-8: ids=0
---
1 fork 20/20
  born -2 2/2
  born 1 20/20
-2 2/2 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (2/2) process 1 start 1000 comm jbd2/loop0-8 image 1 of 1 cred 1 uid 0/0 gid 0/0 tasks 1
