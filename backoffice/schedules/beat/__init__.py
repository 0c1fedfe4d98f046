"""The beat process: `scheduler` leads, `timetable` reads, `fire` decides, `publish` sends, `unsent` sends later."""
