npx wampy-ts call com.example.total 1 2 --repeat 20 --concurrency 4
npx wampy-ts publish com.example.tick --rate 50/s --repeat 25 --json | jq '{ok, failed}'
