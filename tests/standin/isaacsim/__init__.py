"""Stand-in for NVIDIA's package of this name; see twin_standin."""
from twin_standin import app, install_all

app.ask_for_the_licence()
install_all("isaacsim")
