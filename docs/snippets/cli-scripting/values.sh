echo '{"tea":3}' > order.json
npx wampy-ts publish com.example.order @order.json
npx wampy-ts publish com.example.order @order.json --kwargs '{"table":7}'
date +%s | npx wampy-ts publish com.example.time -
npx wampy-ts publish com.example.mention @@joe
