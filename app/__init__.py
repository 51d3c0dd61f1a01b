"""Atrous makes segmentation datasets: the network pre-segments, a person corrects, the network learns beside them."""
