npx wampy-ts call com.example.total 1 2 3
