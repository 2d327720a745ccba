# Rule 4: the loss is noticed only behind the second FORK.
fork pid=20 ppid=10
fork pid=20 ppid=10
lost cpu=1 arg0=3
exit pid=20 ppid=10 arg0=0x200 arg1=17
---
1 fork 20/20
  born -2 10/10
  born 1 20/20
2 fork 20/20
  ended 1 by reused at 2000
  process ended 1 at 2000
  born 2 20/20
3 lost 0/0
4 exit 20/20
  ended 2 by exit at 4000
  process ended 2 at 4000
-2 10/10 unseen parent 0 (0/0) process -2 start 0 comm ? tasks 1
1 20/20 fork parent -2 (10/10) process 1 start 1000 comm ? reused 2000 code 0x0 process end 2000 (exit due)
2 20/20 fork parent -2 (10/10) process 2 start 2000 comm ? exit 4000 code 0x200 process end 4000
