"""Image files as people upload them: their header, their values, how they are shown.

Pure: neither Django nor anything else of ours below this line, so that uploads, the pages of a project and archives
read a file in one way, and a file that was made to harm is refused in one place.
"""
