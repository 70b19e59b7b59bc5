npx wampy-ts list --json | jq -r 'select(.match == "exact") | .uri'
