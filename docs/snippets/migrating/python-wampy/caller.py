from wampy.peers.clients import Client

with Client(url='ws://localhost:8080/ws') as client:
    print(client.rpc.get_todays_date())
    client.publish(topic='com.example.news', text='fresh tea')
