if ! npx wampy-ts call com.example.missing --json > result.json 2> error.json; then
  case $(jq -r .error.uri error.json) in
    wamp.error.no_such_procedure) echo 'nobody answers' ;;
    *) jq -r .error.message error.json ;;
  esac
fi
