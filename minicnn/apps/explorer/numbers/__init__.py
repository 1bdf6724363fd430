"""How one number was made: a module for each family of operations.

A family explains a value of a step's result from what the step reads, and says where a value that
the step reads goes to. The first is the forward pass, the second is all that the backward pass
needs: by the chain rule, the gradient of a value is the sum over the places that it goes to, of the
gradient there times the factor on the way.
"""
