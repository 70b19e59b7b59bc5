npx wampy-ts register com.example.greet --concurrency 4 --timeout 5000 -- python3 greet.py
