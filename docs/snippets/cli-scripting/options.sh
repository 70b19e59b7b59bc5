npx wampy-ts publish com.example.menu '"tea"' --options '{"retain":true}'
npx wampy-ts subscribe com.example.menu --count 1 --options '{"get_retained":true}' --json | jq .args
