from datetime import date

import gevent
from wampy.peers.clients import Client
from wampy.roles.callee import callee
from wampy.roles.subscriber import subscribe


class DateService(Client):
    @callee
    def get_todays_date(self):
        return date.today().isoformat()

    @subscribe(topic='com.example.news')
    def hear(self, text, meta):
        print(text)


with DateService(url='ws://localhost:8080/ws'):
    print('ready', flush=True)
    while True:
        gevent.sleep(1)
