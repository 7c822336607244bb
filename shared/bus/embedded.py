from __future__ import annotations
import asyncio, json, sqlite3
from shared.bus import *
class EmbeddedBus:
    def __init__(self, path): self.path=path
    async def start(self):
        self.db=sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode=WAL"); self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("CREATE TABLE IF NOT EXISTS r(topic text, part int, off integer primary key autoincrement, key text, headers text, value blob)")
        self.ev=asyncio.Event()
    async def close(self): self.db.close()
    healthy=None
    async def publish(self, records):
        self.db.execute("BEGIN")
        self.db.executemany("insert into r(topic,part,key,headers,value) values(?,?,?,?,?)",[(x.topic,partition_of(x.key),x.key,json.dumps(x.headers),x.value) for x in records])
        self.db.execute("COMMIT"); self.ev.set(); self.ev=asyncio.Event()
    async def messages(self, topics, start):
        pos={(t,p):start.get((t,p),0) for t in topics for p in range(4)}
        low=min(pos.values()); idle=False
        while True:
            ev=self.ev
            rows=self.db.execute("select topic,part,off,key,headers,value from r where off>=? order by off limit 1000",(low,)).fetchall()
            if not rows:
                if not idle: idle=True; yield []
                try: await asyncio.wait_for(ev.wait(),0.5)
                except TimeoutError: pass
                continue
            idle=False; low=rows[-1][2]+1
            yield [Message(Record(t,k,v,tuple(map(tuple,json.loads(h)))),p,o) for t,p,o,k,h,v in rows if (t,p) in pos and o>=pos[t,p]]
