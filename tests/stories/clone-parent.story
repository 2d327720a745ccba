# CLONE_PARENT: the creator is invisible, the child is its brother.
fork pid=20 ppid=10
comm pid=20 comm=maker
fork pid=30 ppid=10
exit pid=30 ppid=10 arg0=0 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 comm 20/20
  named 1 maker by comm at 2000
3 fork 30/30
  born 3 30/30
4 exit 30/30
  ended 3 by exit at 4000
  process ended 3 at 4000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm maker (born ?) tasks 1
3 30/30 fork parent -2 (10/10) process 3 start 3000 comm ? exit 4000 code 0x0 process end 4000
