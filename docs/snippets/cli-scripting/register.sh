npx wampy-ts register com.example.total -- jq '.args | add'
