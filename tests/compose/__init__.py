"""Concert in containers as Ops run it: started, broken, saved, restored and upgraded, and compared with its books."""
