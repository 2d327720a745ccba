# Rule 6: tasks that were there before.
exec pid=40
comm pid=50 tid=51 comm=pool
exit pid=60 tid=61 arg0=0 arg1=4294967295
exit pid=60 ppid=1 arg0=0 arg1=17
fork pid=70 tid=71 ppid=1
exit pid=40 ppid=39 arg0=0 arg1=17
---
1 exec 40/40
  born -2 40/40
2 comm 50/51
  born -4 50/50
  born -5 50/51
  named -5 pool by comm at 2000
3 exit 60/61
  born -7 60/61
  ended -7 by exit at 3000
4 exit 60/60
  born -8 60/60
  ended -8 by exit at 4000
  process ended -8 at 4000
5 fork 70/71
  born -10 70/70
  born 5 70/71
6 exit 40/40
  ended -2 by exit at 6000
  process ended -2 at 6000
-10 70/70 unseen parent 0 (1/1) process -10 start 0 comm ? tasks 2
-8 60/60 unseen parent 0 (0/0) process -8 start 0 comm ? exit 4000 code 0x0 process end 4000
-7 60/61 unseen parent 0 (0/0) process 0 start 0 comm ? exit 3000 code 0x0
-5 50/51 unseen parent 0 (0/0) process -4 start 0 comm pool (born ?)
-4 50/50 unseen parent 0 (0/0) process -4 start 0 comm ? tasks 2
-2 40/40 unseen parent 0 (0/0) process -2 start 0 comm ? exit 6000 code 0x0 process end 6000
5 70/71 fork parent 0 (1/1) process -10 start 5000 comm ?
