python3 -m venv crossbar && crossbar/bin/pip install crossbar
mkdir -p .crossbar && cp config.json .crossbar/
crossbar/bin/crossbar start
