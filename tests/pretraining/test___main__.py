"""The command as a process of its own, whose functions the processes that it starts must find."""

import subprocess
import sys

import torch

from samovar_forecast.network.pretrained import load_pretrained
from samovar_forecast.pretraining.command import main


def test_the_command_trains_in_processes_and_goes_on_in_one(tmp_path, quick_check):
    options = ["--out", str(tmp_path)]
    command = [sys.executable, "-m", "samovar_forecast.pretraining", *options]
    command += ["--width", "16", "--layers", "1"]
    subprocess.run([*command, "--steps", "1", "--processes", "2"], check=True)
    assert main([*options, "--steps", "2", "--resume"]) == 0
    card = load_pretrained(tmp_path).card
    assert [part["processes"] for part in card["parts"]] == [2, 1]
    assert card["steps"] == 2
    assert card["hardware"].split(", ")[1] == f"1 x {torch.get_num_threads()} threads"
